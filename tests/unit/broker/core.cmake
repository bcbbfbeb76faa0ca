add_library(icarus_core_world STATIC ${PROJECT_SOURCE_DIR}/tests/support/core_world.cc)
target_link_libraries(icarus_core_world PUBLIC icarus_broker_core PRIVATE icarus_warnings)
target_precompile_headers(icarus_core_world REUSE_FROM icarus_precompiled)
icarus_test(broker_core_test SOURCES admission_test.cc awaited_inputs_test.cc broker_core_test.cc cache_index_test.cc cache_rules_test.cc event_log_test.cc lifecycle_test.cc waiting_test.cc gate_test.cc host_gate_test.cc job_table_test.cc keep_test.cc retention_test.cc upkeep_test.cc values_test.cc
            DEPS icarus_core_world icarus_broker_net rapidcheck TIMEOUT 300)
icarus_test(named_outputs_test SOURCES named_outputs_test.cc DEPS icarus_broker_app LABELS unit)

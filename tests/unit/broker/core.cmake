add_library(icarus_core_world STATIC ${PROJECT_SOURCE_DIR}/tests/support/core_world.cc)
target_link_libraries(icarus_core_world PUBLIC icarus_broker_core)
icarus_test(broker_core_test SOURCES broker_core_test.cc lifecycle_test.cc waiting_test.cc gate_test.cc retention_test.cc
            DEPS icarus_core_world icarus_broker_net TIMEOUT 300)

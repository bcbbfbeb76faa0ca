set(storage_tests ${CMAKE_CURRENT_LIST_DIR}/storage)

# The process that the crash tests kill.
add_executable(store_child ${storage_tests}/store_child.cc)
target_link_libraries(store_child PRIVATE icarus_storage icarus_warnings)

icarus_test(storage_test
  SOURCES ${storage_tests}/blob_store_test.cc ${storage_tests}/cache_store_test.cc ${storage_tests}/disk_reserve_test.cc ${storage_tests}/disk_space_test.cc ${storage_tests}/file_sweep_test.cc
          ${storage_tests}/high_water_test.cc ${storage_tests}/job_store_damage_test.cc
          ${storage_tests}/job_store_test.cc ${storage_tests}/key_schema_test.cc ${storage_tests}/log_file_test.cc
          ${storage_tests}/record_codec_test.cc ${storage_tests}/store_damage_kinds_test.cc
          ${storage_tests}/store_backup_test.cc ${storage_tests}/store_salvage_test.cc ${storage_tests}/store_verify_test.cc
  DEPS icarus_storage RocksDB::rocksdb-shared rapidcheck
  TIMEOUT 300
  LABELS unit)

icarus_test(storage_crash_test
  SOURCES ${storage_tests}/job_store_crash_test.cc
  DEPS icarus_storage
  TIMEOUT 300
  LABELS unit)
target_compile_definitions(storage_crash_test PRIVATE ICARUS_STORE_CHILD="$<TARGET_FILE:store_child>")
add_dependencies(storage_crash_test store_child)

icarus_test(storage_threads_test
  SOURCES ${storage_tests}/commit_thread_test.cc ${storage_tests}/io_thread_test.cc
          ${storage_tests}/job_store_threads_test.cc ${storage_tests}/loop_inbox_test.cc
  DEPS icarus_storage
  LABELS "unit;tsan")

icarus_test(worker_program_test
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/fake_broker.cc ${CMAKE_CURRENT_LIST_DIR}/worker_process.cc
          ${CMAKE_CURRENT_LIST_DIR}/worker_files_test.cc ${CMAKE_CURRENT_LIST_DIR}/worker_program_test.cc
  DEPS icarus_codec icarus_config icarus_transport
  TIMEOUT 300)
target_compile_definitions(worker_program_test PRIVATE ICARUS_WORKER="$<TARGET_FILE:icarus-worker>")
add_dependencies(worker_program_test icarus-worker)

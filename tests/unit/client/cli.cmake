set(client_tests ${CMAKE_CURRENT_LIST_DIR})
icarus_test(client_cli_test
  SOURCES
    ${client_tests}/cli/analysis_text_test.cc ${client_tests}/cli/args_test.cc ${client_tests}/cli/assignments_test.cc
    ${client_tests}/cli/command_files_test.cc
    ${client_tests}/cli/exit_codes_test.cc ${client_tests}/cli/job_request_test.cc ${client_tests}/cli/selectors_test.cc
    ${client_tests}/cli/submission_test.cc ${client_tests}/cli/task_rows_test.cc ${client_tests}/lib/fake_broker.cc
  DEPS icarus_cli icarus_codec icarus_transport)
icarus_test(client_lib_test
  SOURCES ${client_tests}/lib/blob_transfer_test.cc ${client_tests}/lib/client_test.cc ${client_tests}/lib/fake_broker.cc
  DEPS icarus_client icarus_codec icarus_transport)

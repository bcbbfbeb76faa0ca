set(config_tests ${CMAKE_CURRENT_LIST_DIR}/config)
icarus_test(config_test
  SOURCES ${config_tests}/access_file_test.cc ${config_tests}/home_test.cc ${config_tests}/settings_file_test.cc
          ${config_tests}/settings_test.cc
  DEPS icarus_config
  LABELS unit)
icarus_test(logging_test
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/base/logging_test.cc
  DEPS icarus_logging
  LABELS unit)

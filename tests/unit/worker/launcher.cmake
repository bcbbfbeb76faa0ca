icarus_test(launcher_test
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/launcher/command_test.cc ${CMAKE_CURRENT_LIST_DIR}/launcher/containment_test.cc
          ${CMAKE_CURRENT_LIST_DIR}/launcher/keep_test.cc
          ${CMAKE_CURRENT_LIST_DIR}/launcher/launcher_fixture.cc ${CMAKE_CURRENT_LIST_DIR}/launcher/parts_test.cc
          ${CMAKE_CURRENT_LIST_DIR}/launcher/solver_host_test.cc ${CMAKE_CURRENT_LIST_DIR}/launcher/value_attempt_test.cc
          ${CMAKE_CURRENT_LIST_DIR}/launcher/value_lines_test.cc ${CMAKE_CURRENT_LIST_DIR}/launcher/value_socket_test.cc
  DEPS icarus_launcher icarus_map_codec
  TIMEOUT 300)

icarus_test(telemetry_test
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/telemetry/machine_test.cc
  DEPS icarus_telemetry)

icarus_test(command_template_test
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/../common/analysis/command_template_test.cc
  DEPS icarus_analysis)

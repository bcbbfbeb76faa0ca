set(transport_tests ${CMAKE_CURRENT_LIST_DIR}/transport)
icarus_test(transport_test
  SOURCES ${transport_tests}/endpoint_test.cc ${transport_tests}/poll_loop_test.cc ${transport_tests}/principal_test.cc
          ${transport_tests}/router_bind_test.cc ${transport_tests}/router_dealer_test.cc
          ${transport_tests}/router_hostile_test.cc ${transport_tests}/signal_fd_test.cc
          ${transport_tests}/socket_options_test.cc
  DEPS icarus_transport PkgConfig::ZMQ
  LABELS unit)

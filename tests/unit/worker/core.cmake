icarus_test(worker_core_test
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/core/attempts_test.cc ${CMAKE_CURRENT_LIST_DIR}/core/core_fixture.cc
          ${CMAKE_CURRENT_LIST_DIR}/core/invariants_test.cc ${CMAKE_CURRENT_LIST_DIR}/core/keep_test.cc
          ${CMAKE_CURRENT_LIST_DIR}/core/leave_test.cc
          ${CMAKE_CURRENT_LIST_DIR}/core/session_test.cc
  DEPS icarus_worker_core rapidcheck)

icarus_test(airfoil_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/airfoil_test.cc ${CMAKE_CURRENT_LIST_DIR}/analysis/advice_test.cc DEPS icarus_analysis LABELS unit)

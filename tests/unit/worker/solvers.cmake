icarus_test(solvers_panel_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/solvers_panel_test.cc
            DEPS icarus_solvers icarus_analysis icarus_eigen LABELS unit)
icarus_test(solvers_polar_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/solvers_polar_test.cc DEPS icarus_solvers LABELS unit)
icarus_test(solvers_march_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/solvers_march_test.cc DEPS icarus_solvers LABELS unit)
icarus_test(solvers_xfoil_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/solvers_xfoil_test.cc
            DEPS icarus_solvers icarus_analysis TIMEOUT 900 LABELS unit)
# Test programs do not lie beside the shim as the worker does.
target_compile_definitions(solvers_xfoil_test PRIVATE ICARUS_TEST_NOFPE="$<TARGET_FILE:icarus_nofpe>")

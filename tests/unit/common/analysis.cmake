set(analysis_tests ${CMAKE_CURRENT_LIST_DIR}/analysis)
icarus_test(cache_key_test
  SOURCES ${analysis_tests}/cache_key_test.cc ${analysis_tests}/canonical_form_test.cc
          ${analysis_tests}/key_step_test.cc ${analysis_tests}/manifest_test.cc ${analysis_tests}/program_identity_test.cc ${analysis_tests}/validate_test.cc
  DEPS icarus_analysis rapidcheck LABELS unit)

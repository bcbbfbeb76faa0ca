set(output_tests ${CMAKE_CURRENT_LIST_DIR}/output)
icarus_test(client_output_test
  SOURCES
    ${output_tests}/column_format_test.cc ${output_tests}/csv_test.cc ${output_tests}/display_test.cc
    ${output_tests}/job_text_test.cc ${output_tests}/json_test.cc ${output_tests}/plot_data_test.cc
    ${output_tests}/plot_scale_test.cc ${output_tests}/polar_plot_test.cc ${output_tests}/progress_bar_test.cc
    ${output_tests}/progress_printer_test.cc ${output_tests}/result_json_test.cc ${output_tests}/result_table_test.cc
    ${output_tests}/result_text_test.cc ${output_tests}/service_text_test.cc ${output_tests}/text_table_test.cc
  DEPS icarus_output PkgConfig::CAIRO)

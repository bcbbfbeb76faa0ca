icarus_test(broker_app_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/broker_app_test.cc DEPS icarus_broker_app
            LABELS "integration;tsan")
icarus_test(cache_writer_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/cache_writer_test.cc DEPS icarus_broker_app
            LABELS "integration;tsan")
icarus_test(file_sweeper_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/file_sweeper_test.cc DEPS icarus_broker_app
            LABELS "integration;tsan")
icarus_test(cache_lives_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/cache_lives_test.cc DEPS icarus_broker_app
            LABELS integration)

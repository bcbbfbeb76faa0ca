icarus_test(broker_app_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/broker_app_test.cc DEPS icarus_broker_app
            LABELS "integration;tsan")

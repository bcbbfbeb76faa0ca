icarus_test(worker_net_test
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/net/blob_cache_test.cc ${CMAKE_CURRENT_LIST_DIR}/net/blob_transfers_test.cc
  DEPS icarus_worker_net)

icarus_test(worker_app_test
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/app/attempt_builder_test.cc ${CMAKE_CURRENT_LIST_DIR}/app/value_exchange_test.cc ${CMAKE_CURRENT_LIST_DIR}/app/worker_directory_test.cc
  DEPS icarus_worker_app)

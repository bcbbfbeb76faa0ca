# Headers that most files above `common` read, compiled once for all libraries and once for all tests: half of the time
# of such a file is spent on them. A target that takes them has the options of icarus_precompiled, none of its own.
set(ICARUS_PRECOMPILED
    <algorithm> <array> <chrono> <cstdint> <deque> <filesystem> <functional> <map> <memory> <optional> <set> <string>
    <string_view> <tuple> <utility> <variant> <vector>
    "${PROJECT_SOURCE_DIR}/common/protocol/messages.h")
add_library(icarus_precompiled OBJECT ${PROJECT_SOURCE_DIR}/cmake/precompiled.cc)
target_include_directories(icarus_precompiled PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(icarus_precompiled PRIVATE icarus_sanitizers icarus_warnings)
target_precompile_headers(icarus_precompiled PRIVATE ${ICARUS_PRECOMPILED})

# icarus_library(name [PRECOMPILED] SOURCES … DEPS …): a static library of one folder. DEPS are all that it may use, of ours
# and of others.
function(icarus_library name)
  cmake_parse_arguments(ARG "PRECOMPILED" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} icarus_sanitizers PRIVATE icarus_warnings ${ARG_PRIVATE_DEPS})
  if(ARG_PRECOMPILED)
    target_precompile_headers(${name} REUSE_FROM icarus_precompiled)
  endif()
endfunction()

# icarus_program(name SOURCES … DEPS …): an executable in ICARUS_BIN_DIR.
function(icarus_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} icarus_warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${ICARUS_BIN_DIR})
endfunction()

# The code under test is what the sanitizers are for; test bodies are compiled for a quick build. Linked last, so that its
# options are the last word.
add_library(icarus_test_options INTERFACE)
if(ICARUS_SANITIZE)
  target_compile_options(icarus_test_options INTERFACE -O0)
  if(ICARUS_SANITIZE MATCHES "undefined")
    target_compile_options(icarus_test_options INTERFACE -fno-sanitize=undefined)
  endif()
endif()
if(ICARUS_BUILD_TESTS)
  find_package(GTest REQUIRED)
  add_library(icarus_precompiled_test OBJECT ${PROJECT_SOURCE_DIR}/cmake/precompiled.cc)
  target_include_directories(icarus_precompiled_test PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(icarus_precompiled_test PRIVATE icarus_sanitizers GTest::gtest GTest::gmock icarus_warnings
                                                        icarus_test_options)
  target_precompile_headers(icarus_precompiled_test PRIVATE ${ICARUS_PRECOMPILED} <gmock/gmock.h> <gtest/gtest.h>)
endif()

# icarus_test(name SOURCES … DEPS …): a GoogleTest program that ctest runs, one test a case.
function(icarus_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gtest_main GTest::gmock icarus_warnings icarus_test_options)
  target_precompile_headers(${name} REUSE_FROM icarus_precompiled_test)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()

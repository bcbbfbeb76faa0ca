# One set of warnings for all of our code, as an interface target.
add_library(icarus_warnings INTERFACE)
target_compile_options(icarus_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
                                                 -Wnon-virtual-dtor -Woverloaded-virtual)
# g++ 12 sees accesses out of bounds in moves of std::string that it has inlined (its bug 105651); the address sanitizer
# finds real ones.
target_compile_options(icarus_warnings INTERFACE -Wno-array-bounds -Wno-restrict)
option(ICARUS_WERROR "Treat warnings as errors" ON)
if(ICARUS_WERROR)
  target_compile_options(icarus_warnings INTERFACE -Werror)
endif()

# One set of warnings for all of our code, as an interface target.
add_library(icarus_warnings INTERFACE)
target_compile_options(icarus_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
                                                 -Wnon-virtual-dtor -Woverloaded-virtual)
option(ICARUS_WERROR "Treat warnings as errors" ON)
if(ICARUS_WERROR)
  target_compile_options(icarus_warnings INTERFACE -Werror)
endif()

# ICARUS_SANITIZE: a comma-separated list for -fsanitize, or `coverage`, or empty.
set(ICARUS_SANITIZE "" CACHE STRING "address,undefined | thread | coverage | empty")
add_library(icarus_sanitizers INTERFACE)
if(ICARUS_SANITIZE STREQUAL "coverage")
  target_compile_options(icarus_sanitizers INTERFACE --coverage)
  target_link_options(icarus_sanitizers INTERFACE --coverage)
elseif(ICARUS_SANITIZE)
  target_compile_options(icarus_sanitizers INTERFACE -fsanitize=${ICARUS_SANITIZE} -fno-omit-frame-pointer
                                                     -fno-sanitize-recover=all)
  target_link_options(icarus_sanitizers INTERFACE -fsanitize=${ICARUS_SANITIZE})
  if(ICARUS_SANITIZE MATCHES "undefined")
    # These five double the compile time, and what they find the address sanitizer and the warnings find too.
    target_compile_options(icarus_sanitizers
                           INTERFACE -fno-sanitize=null,alignment,vptr,object-size,pointer-overflow)
  endif()
endif()

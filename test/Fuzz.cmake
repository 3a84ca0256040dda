# lut_fuzzer(<name> <seconds> <source>...)
# A libFuzzer target of `LLVMFuzzerTestOneInput` and the sources that it tries, with the address and undefined behaviour
# sanitizers. The test of its name runs it for so long, with what it finds in the build directory. Clang alone has libFuzzer.
function(lut_fuzzer name seconds)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(STATUS "no libFuzzer: ${name} is not tested")
    return()
  endif()
  set(sanitizers -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all)
  add_executable(${name} ${ARGN})
  target_compile_options(${name} PRIVATE ${sanitizers} -O1 -g)
  target_link_options(${name} PRIVATE ${sanitizers})
  add_test(NAME ${name} COMMAND ${name} -max_total_time=${seconds} -timeout=20 -verbosity=0 -print_final_stats=1)
  # Started first, as nothing takes longer.
  set_tests_properties(${name} PROPERTIES LABELS fuzz COST 1000 WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
endfunction()

# Fuzz targets: libFuzzer with the address and undefined behaviour sanitizers. Where the compiler has none,
# LUTC_HAS_FUZZER is false, and no target is to be made.
include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_FLAGS -fsanitize=fuzzer,address,undefined)
check_cxx_source_compiles("extern \"C\" int LLVMFuzzerTestOneInput(const unsigned char *, decltype(sizeof 0)) { return 0; }"
                          LUTC_HAS_FUZZER)
unset(CMAKE_REQUIRED_FLAGS)
if(NOT LUTC_HAS_FUZZER)
  message(STATUS "libFuzzer not found: what fuzzers try is not tested")
endif()

# lut_fuzzed(<target>): a program with LLVMFuzzerTestOneInput, or a library of sources that it tries.
function(lut_fuzzed target)
  set(sanitizers -fsanitize=fuzzer,address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all)
  target_compile_options(${target} PRIVATE ${sanitizers} -O1 -gline-tables-only)
  target_link_options(${target} PRIVATE ${sanitizers})
endfunction()

# lut_fuzz(<test> <program> <seconds> [<argument of libFuzzer, or directory of seeds>...]): six times as long for
# scripts/test --slow. What it finds stays in the build directory.
function(lut_fuzz test program seconds)
  if(DEFINED ENV{LUTC_SLOW_TESTS})
    math(EXPR seconds "6 * ${seconds}")
  endif()
  add_test(NAME ${test} COMMAND ${program} -max_total_time=${seconds} -timeout=20 -verbosity=0 -print_final_stats=1
                                -artifact_prefix=${test}- ${ARGN})
  set_tests_properties(${test} PROPERTIES LABELS fuzz COST ${seconds} WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
endfunction()

# Headers of LLVM and MLIR are most of what a compiler reads for a file of lutc's: it reads them once, for all files.

# ccache takes a precompiled header for what its .sum says of it, not for its bytes, which have the build's directory in
# them; with CCACHE_DEPEND, every header inside counts by its contents all the same.
if(CMAKE_CXX_COMPILER_LAUNCHER MATCHES "ccache$")
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_DEPEND=1 CCACHE_PCH_EXTSUM=1 CCACHE_SLOPPINESS=pch_defines,time_macros
                                  ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()
# CMake's own options include the text, too, which is empty by then, by a name that ccache takes as it is written.
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -Xclang -include-pch -Xclang <PCH_FILE>)
endif()

# lut_precompile(<name> <header>...): a target to take precompiled headers from, lut_precompiled(<target> <name>). Sources
# have the target's flags; only definitions may differ, and options such as -ffp-contract.
function(lut_precompile name)
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp CONTENT "")
  add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  target_precompile_headers(${name} PRIVATE ${ARGN})
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    target_compile_options(${name} PRIVATE -Xclang -fno-pch-timestamp)
  endif()
  # One from the cache would refer to the directory of another build.
  set_target_properties(${name} PROPERTIES CXX_COMPILER_LAUNCHER "")
  foreach(suffix pch gch)
    file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${name}.dir/cmake_pch.hxx.${suffix}.sum CONTENT ${name})
  endforeach()
endfunction()

function(lut_precompiled target name)
  target_precompile_headers(${target} REUSE_FROM ${name})
endfunction()

# lut_precompiled_test(<target>): for tests of LLVM and GoogleTest, which wait longer for the optimizer than it saves.
function(lut_precompiled_test target)
  if(NOT TARGET TestHeaders)
    lut_precompile(TestHeaders ${llvm_headers} <gmock/gmock.h> <gtest/gtest.h>)
    target_compile_options(TestHeaders PRIVATE -O0)
    target_link_libraries(TestHeaders PRIVATE GTest::gmock)
  endif()
  lut_precompiled(${target} TestHeaders)
  target_compile_options(${target} PRIVATE -O0)
endfunction()

set(llvm_headers
  <functional> <map> <memory> <optional> <string> <vector>
  <llvm/ADT/STLExtras.h> <llvm/ADT/StringExtras.h> <llvm/ADT/StringMap.h> <llvm/ADT/StringSet.h>
  <llvm/Support/Error.h> <llvm/Support/FileSystem.h> <llvm/Support/FormatVariadic.h> <llvm/Support/JSON.h>
  <llvm/Support/MathExtras.h> <llvm/Support/MemoryBuffer.h> <llvm/Support/Path.h> <llvm/Support/SourceMgr.h>
  <llvm/Support/raw_ostream.h>)
lut_precompile(LlvmHeaders ${llvm_headers})
lut_precompile(MlirHeaders ${llvm_headers}
  <llvm/ADT/TypeSwitch.h> <llvm/IR/Module.h>
  <mlir/Bytecode/BytecodeOpInterface.h> <mlir/Dialect/Arith/IR/Arith.h> <mlir/Dialect/Func/IR/FuncOps.h>
  <mlir/Dialect/LLVMIR/LLVMDialect.h> <mlir/Dialect/SCF/IR/SCF.h> <mlir/Dialect/Vector/IR/VectorOps.h>
  <mlir/IR/Builders.h> <mlir/IR/BuiltinOps.h> <mlir/IR/DialectImplementation.h> <mlir/IR/Matchers.h>
  <mlir/IR/PatternMatch.h> <mlir/Interfaces/ControlFlowInterfaces.h> <mlir/Interfaces/InferTypeOpInterface.h>
  <mlir/Interfaces/SideEffectInterfaces.h> <mlir/Pass/PassManager.h>)

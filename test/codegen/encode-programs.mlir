// lut-encode-programs, by example: a program becomes its bytes, a launch a call of the runtime with constants.
// RUN: lut-opt %s --lut-encode-programs | FileCheck %s

lmma.program @p_m2 registers 4 scratchpad 0 warps 1 buffers 1 tile 2 x 64 {
  lmma.clear r0, 4
  lmma.store b0[s1, 0], r0, 2 x 256
  lmma.exit
}

// CHECK: llvm.mlir.global internal constant @p_m2("LMMAPROG\01\00\00\00\03\00\00\00\04\00\00\00
// CHECK-SAME: {addr_space = 0 : i32, alignment = 8 : i64}
// CHECK-LABEL: func.func @stage(
// CHECK-SAME: %[[OPERANDS:.*]]: !llvm.ptr, %[[M:.*]]: i64, %[[BEGIN:.*]]: i64, %[[END:.*]]: i64) -> i32
// CHECK: %[[CONSTANTS:.*]] = llvm.mlir.addressof @stage_stage
// CHECK: %[[STATUS:.*]] = llvm.call @lutc_lmma_run_stage(%[[CONSTANTS]], %[[OPERANDS]], %[[M]], %[[BEGIN]], %[[END]])
// CHECK: return %[[STATUS]]
func.func @stage(%operands: !llvm.ptr, %m: i64, %begin: i64, %end: i64) -> i32 {
  %status = lmma.launch [@p_m2](%operands, %m, %begin, %end) buffers [#lmma.buffer<slot = 2, row_bytes = 256, element_bytes = 4, per_token = true, writable = true>] : !llvm.ptr
  return %status : i32
}

// CHECK: llvm.mlir.global internal constant @stage_buffers("\02\00\00\00\01\00\00\00\01\00\00\00\04\00\00\00\00\01\00\00\00\00\00\00")
// CHECK: llvm.mlir.global internal constant @stage_programs()
// CHECK: llvm.mlir.addressof @p_m2

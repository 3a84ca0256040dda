// Programs of the LUT-instruction machine: their text, and that it comes back from the bytes.
// RUN: lut-opt %s | FileCheck %s
// RUN: lut-opt %s | lut-opt | FileCheck %s
// RUN: lutc assemble %s -o %t.lmma
// RUN: lutc disassemble %t.lmma -o %t.mlir
// RUN: lutc assemble %t.mlir -o %t.again.lmma
// RUN: cmp %t.lmma %t.again.lmma
// RUN: lut-opt %t.mlir | FileCheck %s --check-prefix=TEXT
// RUN: lutc disassemble %t.again.lmma | FileCheck %s --check-prefix=TEXT

// CHECK: lmma.program @all registers 60 scratchpad 2048 warps 2 buffers 3 tile 2 x 128 {
// TEXT: lmma.program @{{.*}} registers 60 scratchpad 2048 warps 2 buffers 3 tile 2 x 128 {
lmma.program @all registers 60 scratchpad 2048 warps 2 buffers 3 tile 2 x 128 {
  // CHECK-NEXT: lmma.affine s4 = s1 * 2 + 0
  // TEXT-NEXT: lmma.affine s4 = s1 * 2 + 0
  lmma.affine s4 = s1 * 2 + s31
  // CHECK-NEXT: lmma.affine s5 = s2 * -3 + s4 + 7
  // TEXT-NEXT: lmma.affine s5 = s2 * -3 + s4 + 7
  lmma.affine s5 = s2 * -3 + s4 + 7
  // CHECK-NEXT: lmma.clear r0, 4
  // TEXT-NEXT: lmma.clear r0, 4
  lmma.clear r0, 4
  // CHECK-NEXT: lmma.fetch [s4], b1[0, s5], 1 x 512
  // TEXT-NEXT: lmma.fetch [s4], b1[0, s5], 1 x 512
  lmma.fetch [s4], b1[0, s5], 1 x 512
  // CHECK-NEXT: lmma.loop s6 below s3 + 4 {
  // TEXT-NEXT: lmma.loop s6 below s3 + 4 {
  lmma.loop s6 below s3 + 4 {
    // CHECK-NEXT: lmma.loop s7 below 3 {
    // TEXT-NEXT: lmma.loop s7 below 3 {
    lmma.loop s7 below 3 {
      // CHECK-NEXT: lmma.load r0, b0[s4 + 1, s5 + 64], 2 x 32
      // TEXT-NEXT: lmma.load r0, b0[s4 + 1, s5 + 64], 2 x 32
      lmma.load r0, b0[s4 + 1, s5 + 64], 2 x 32
      // CHECK-NEXT: lmma.table r4, r0, 2 x 32 i8 to i16
      // TEXT-NEXT: lmma.table r4, r0, 2 x 32 i8 to i16
      lmma.table r4, r0, 2 x 32 i8 to i16
      // CHECK-NEXT: lmma.table r4, r0, 2 x 24 i8 to i16 trits
      // TEXT-NEXT: lmma.table r4, r0, 2 x 24 i8 to i16 trits
      lmma.table r4, r0, 2 x 24 i8 to i16 trits
    }
    // CHECK: lmma.write [s5 + 3], r4, 128
    // TEXT: lmma.write [s5 + 3], r4, 128
    lmma.write [s5 + 3], r4, 128
    // CHECK-NEXT: lmma.barrier
    // TEXT-NEXT: lmma.barrier
    lmma.barrier
    // CHECK-NEXT: lmma.read r4, [64], 256
    // TEXT-NEXT: lmma.read r4, [64], 256
    lmma.read r4, [64], 256
    // CHECK-NEXT: lmma.m2n64k32.i16i2i32i32 r12, r4, r6, r12
    // TEXT-NEXT: lmma.m2n64k32.i16i2i32i32 r12, r4, r6, r12
    lmma.m2n64k32.i16i2i32i32 r12, r4, r6, r12
    // CHECK-NEXT: lmma.m2n64k24.f8t3f32f16 r20, r4, r6, r12
    // TEXT-NEXT: lmma.m2n64k24.f8t3f32f16 r20, r4, r6, r12
    lmma.m2n64k24.f8t3f32f16 r20, r4, r6, r12
    // CHECK-NEXT: lmma.m2n64k8.i16i8i32i32 r12, r4, r6, r12
    // TEXT-NEXT: lmma.m2n64k8.i16i8i32i32 r12, r4, r6, r12
    lmma.m2n64k8.i16i8i32i32 r12, r4, r6, r12
  }
  // CHECK: lmma.correct r12, r1, zeros r2 u8, 2 x 64 bits 2
  // TEXT: lmma.correct r12, r1, zeros r2 u8, 2 x 64 bits 2
  lmma.correct r12, r1, zeros r2 u8, 2 x 64 bits 2
  // CHECK-NEXT: lmma.correct r12, r1, zero -2, 2 x 64 bits 3
  // TEXT-NEXT: lmma.correct r12, r1, zero -2, 2 x 64 bits 3
  lmma.correct r12, r1, zero -2, 2 x 64 bits 3
  // CHECK-NEXT: lmma.scale r24, r12 i32, r1 f32, r2 f16, 2 x 64
  // TEXT-NEXT: lmma.scale r24, r12 i32, r1 f32, r2 f16, 2 x 64
  lmma.scale r24, r12 i32, r1 f32, r2 f16, 2 x 64
  // CHECK-NEXT: lmma.scale r24, r12 i32, none, r2 f32, 2 x 64
  // TEXT-NEXT: lmma.scale r24, r12 i32, none, r2 f32, 2 x 64
  lmma.scale r24, r12 i32, none, r2 f32, 2 x 64
  // CHECK-NEXT: lmma.scale r24, r12 i32, r1 f32, r2 e8m0, 2 x 64
  // TEXT-NEXT: lmma.scale r24, r12 i32, r1 f32, r2 e8m0, 2 x 64
  lmma.scale r24, r12 i32, r1 f32, r2 e8m0, 2 x 64
  // CHECK-NEXT: lmma.correct r12, r1, zero 2, 2 x 64 bits 2 doubled
  // TEXT-NEXT: lmma.correct r12, r1, zero 2, 2 x 64 bits 2 doubled
  lmma.correct r12, r1, zero 2, 2 x 64 bits 2 doubled
  // CHECK-NEXT: lmma.scale r24, r12 i32, r1 f32, r2 f16, 2 x 64 halved
  // TEXT-NEXT: lmma.scale r24, r12 i32, r1 f32, r2 f16, 2 x 64 halved
  lmma.scale r24, r12 i32, r1 f32, r2 f16, 2 x 64 halved
  // CHECK-NEXT: lmma.shift r24, r2, r1, r3 bf16, 2 x 64
  // TEXT-NEXT: lmma.shift r24, r2, r1, r3 bf16, 2 x 64
  lmma.shift r24, r2, r1, r3 bf16, 2 x 64
  // CHECK-NEXT: lmma.add r24, r2 vector, 2 x 64
  // TEXT-NEXT: lmma.add r24, r2 vector, 2 x 64
  lmma.add r24, r2 vector, 2 x 64
  // CHECK-NEXT: lmma.times r24, r12 full, 2 x 64
  // TEXT-NEXT: lmma.times r24, r12 full, 2 x 64
  lmma.times r24, r12 full, 2 x 64
  // CHECK-NEXT: lmma.convert r30 bf16, r24, 2 x 64
  // TEXT-NEXT: lmma.convert r30 bf16, r24, 2 x 64
  lmma.convert r30 bf16, r24, 2 x 64
  // CHECK-NEXT: lmma.store b2[s4, s5], r30, 2 x 128
  // TEXT-NEXT: lmma.store b2[s4, s5], r30, 2 x 128
  lmma.store b2[s4, s5], r30, 2 x 128
  // CHECK-NEXT: lmma.exit
  // TEXT-NEXT: lmma.exit
  lmma.exit
}

// What the text of a program may not say. RUN: lut-opt %s -split-input-file -verify-diagnostics

lmma.program @m registers 60 scratchpad 0 warps 1 buffers 3 tile 2 x 64 {
  // expected-error@+1 {{m = 3 must be a power of two from 1 to 64}}
  lmma.m3n64k32.i16i2i32i32 r12, r4, r6, r12
}

// -----

lmma.program @n registers 60 scratchpad 0 warps 1 buffers 3 tile 2 x 64 {
  // expected-error@+1 {{n = 512 must be a power of two from 8 to 256}}
  lmma.m2n512k32.i16i2i32i32 r12, r4, r6, r12
}

// -----

lmma.program @k registers 60 scratchpad 0 warps 1 buffers 3 tile 2 x 64 {
  // expected-error@+1 {{k = 32 must be a multiple of 3 up to 128}}
  lmma.m2n64k32.i16t3i32i32 r12, r4, r6, r12
}

// -----

lmma.program @accumulator registers 60 scratchpad 0 warps 1 buffers 3 tile 2 x 64 {
  // expected-error@+1 {{Acc cannot be f32; write i32}}
  lmma.m2n64k32.i16i2f32f32 r12, r4, r6, r12
}

// -----

lmma.program @out registers 60 scratchpad 0 warps 1 buffers 3 tile 2 x 64 {
  // expected-error@+1 {{O cannot be f32; write f16}}
  lmma.m2n64k32.f16i2f16f32 r12, r4, r6, r12
}

// -----

lmma.program @weights registers 60 scratchpad 0 warps 1 buffers 3 tile 2 x 64 {
  // expected-error@+1 {{W cannot be u8; write i1 or i2 or i3 or i4 or i5 or i6 or i8 or t3}}
  lmma.m2n64k32.i16u8i32i32 r12, r4, r6, r12
}

// -----

lmma.program @name registers 60 scratchpad 0 warps 1 buffers 3 tile 2 x 64 {
  // expected-error@+1 {{a multiply has its shape and types in its name: lmma.m2n64k4.i16i2i32i32}}
  lmma.multiply r12, r4, r6, r12
}

// -----

lmma.program @table registers 60 scratchpad 0 warps 1 buffers 3 tile 2 x 64 {
  // expected-error@+1 {{tables of f16 cannot be f32; write f16}}
  lmma.table r4, r0, 2 x 32 f16 to f32
}

// -----

lmma.program @register registers 60 scratchpad 0 warps 1 buffers 3 tile 2 x 64 {
  // expected-error@+1 {{'x4' is no register; write r0, r1, ...}}
  lmma.clear x4, 2
}

// -----

lmma.program @zeros registers 60 scratchpad 0 warps 1 buffers 3 tile 2 x 64 {
  // expected-error@+1 {{zeros cannot be i8; write none or u8 or i32}}
  lmma.correct r12, r1, zeros r2 i8, 2 x 64 bits 2
}

// -----

lmma.program @minimums registers 60 scratchpad 0 warps 1 buffers 3 tile 2 x 64 {
  // expected-error@+1 {{minimums cannot be e8m0; write f16 or bf16 or f32}}
  lmma.shift r24, r2, r1, r3 e8m0, 2 x 64
}

// -----

lmma.program @bits registers 60 scratchpad 0 warps 1 buffers 3 tile 2 x 64 {
  // expected-error@+1 {{bits = 9 must be from 1 to 8}}
  lmma.correct r12, r1, zero 2, 2 x 64 bits 9
}

// -----

lmma.program @convert registers 60 scratchpad 0 warps 1 buffers 3 tile 2 x 64 {
  // expected-error@+1 {{results cannot be f32; write f16 or bf16 or i8}}
  lmma.convert r30 f32, r24, 2 x 64
}

// -----

// expected-error@+1 {{fact 'clock' of a machine is missing, or not a positive number or a name}}
module attributes {a = #lmma.machine<{name = "toy"}>} {}

// -----

// expected-error@+1 {{fact 'cores' of a machine is missing, or not a positive number or a name}}
module attributes {a = #lmma.machine<{name = "toy", clock = 1.0, cores = 0, slots = 4, arrays = 1, array_m = 2, array_n = 64, register_bytes = 262144, registers_per_thread = 255, registers_multiple = 1, scratchpad_bytes = 65536, scratchpad_bandwidth = 128.0, cache_bytes = 1048576, cache_bandwidth = 1024.0, port_bandwidth = 64.0, memory_bandwidth = 100.0, latency = 300, launch = 0, blocks = 32, adders = 256}>} {}

// -----

// expected-error@+1 {{a machine has 20 facts, not 21}}
module attributes {a = #lmma.machine<{name = "toy", color = 1, clock = 1.0, cores = 2, slots = 4, arrays = 1, array_m = 2, array_n = 64, register_bytes = 262144, registers_per_thread = 255, registers_multiple = 1, scratchpad_bytes = 65536, scratchpad_bandwidth = 128.0, cache_bytes = 1048576, cache_bandwidth = 1024.0, port_bandwidth = 64.0, memory_bandwidth = 100.0, latency = 300, launch = 0, blocks = 32, adders = 256}>} {}

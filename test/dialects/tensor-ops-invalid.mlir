// Ops on whole tensors whose operands do not fit.
// RUN: lut-opt %s -split-input-file -verify-diagnostics

func.func @tokens(%x: tensor<4x64xf32>, %w: !lut.weights<10 x 64, <w2>>) {
  // expected-error@+1 {{has tokens m = 4 in x but 5 in y}}
  %y = lut.mpgemm %x, %w numerics a8 : tensor<4x64xf32>, !lut.weights<10 x 64, <w2>> -> tensor<5x10xf32>
  return
}

// -----

func.func @unknownTokens(%x: tensor<4x64xf32>, %w: !lut.weights<10 x 64, <w2>>) {
  // expected-error@+1 {{has tokens m = 4 in x but ? in y}}
  %y = lut.mpgemm %x, %w numerics a8 : tensor<4x64xf32>, !lut.weights<10 x 64, <w2>> -> tensor<?x10xf32>
  return
}

// -----

func.func @unknownReduction(%x: tensor<?x?xf32>, %w: !lut.weights<10 x 64, <w2>>) {
  // expected-error@+1 {{reduces over k = ? but the weights have k = 64}}
  %y = lut.mpgemm %x, %w numerics a8 : tensor<?x?xf32>, !lut.weights<10 x 64, <w2>> -> tensor<?x10xf32>
  return
}

// -----

func.func @dotOfTables(%x: tensor<?x64xf32>, %w: !lut.weights<10 x 64, <w2>>) {
  // expected-error@+1 {{class t8 is defined by tables and has no dot strategy}}
  %y = lut.mpgemm %x, %w numerics t8 strategy dot : tensor<?x64xf32>, !lut.weights<10 x 64, <w2>> -> tensor<?x10xf32>
  return
}

// -----

func.func @reduction(%x: tensor<?x60xf32>, %w: !lut.weights<10 x 64, <w2>>) {
  // expected-error@+1 {{reduces over k = 60 but the weights have k = 64}}
  %y = lut.mpgemm %x, %w numerics a8 : tensor<?x60xf32>, !lut.weights<10 x 64, <w2>> -> tensor<?x10xf32>
  return
}

// -----

func.func @rows(%x: tensor<?x64xf32>, %w: !lut.weights<10 x 64, <w2>>) {
  // expected-error@+1 {{produces 12 rows but the weights have n = 10}}
  %y = lut.mpgemm %x, %w numerics a8 : tensor<?x64xf32>, !lut.weights<10 x 64, <w2>> -> tensor<?x12xf32>
  return
}

// -----

func.func @precision(%x: tensor<?x64xf16>, %w: !lut.weights<10 x 64, <w2>>) {
  // expected-error@+1 {{operand #0 must be 2D tensor of 32-bit float values}}
  %y = lut.mpgemm %x, %w numerics a8 : tensor<?x64xf16>, !lut.weights<10 x 64, <w2>> -> tensor<?x10xf32>
  return
}

// -----

func.func @quantize(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{changes k}}
  %q = lut.quantize_activations %x : tensor<?x64xf32> -> !lut.activations<60, group = 30>
  return
}

// -----

func.func @precomputeFloats(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{changes k}}
  %t = lut.precompute %x : tensor<?x64xf32> -> !lut.tables<60, group = 60, unit = 4, trits = false, mirrored = false, digits = 0, radix = 0>
  return
}

// -----

func.func @digitsOfFloats(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{float activations have no exact digits}}
  %t = lut.precompute %x : tensor<?x64xf32> -> !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>
  return
}

// -----

func.func @precomputeK(%q: !lut.activations<64, group = 32>) {
  // expected-error@+1 {{tables and activations differ in k or group}}
  %t = lut.precompute %q : !lut.activations<64, group = 32> -> !lut.tables<60, group = 32, unit = 4, trits = false, mirrored = false, digits = 0, radix = 0>
  return
}

// -----

func.func @precomputeGroup(%q: !lut.activations<64, group = 32>) {
  // expected-error@+1 {{tables and activations differ in k or group}}
  %t = lut.precompute %q : !lut.activations<64, group = 32> -> !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 0, radix = 0>
  return
}

// -----

func.func @roundTwice(%q: !lut.activations<64, group = 32>) {
  // expected-error@+1 {{rounds int8 activations a second time; their tables take two digits}}
  %t = lut.precompute %q : !lut.activations<64, group = 32> -> !lut.tables<64, group = 32, unit = 4, trits = false, mirrored = false, digits = 1, radix = 0>
  return
}

// -----

func.func @reinterpretRows(%w: !lut.weights<10 x 64, <w2>>) {
  // expected-error@+1 {{changes more than the encoding}}
  %p = lut.reinterpret %w : !lut.weights<10 x 64, <w2>> -> !lut.weights<12 x 64, <w2>, planes>
  return
}

// -----

func.func @reinterpretK(%w: !lut.weights<10 x 64, <w2>>) {
  // expected-error@+1 {{changes more than the encoding}}
  %p = lut.reinterpret %w : !lut.weights<10 x 64, <w2>> -> !lut.weights<10 x 60, <w2>, planes>
  return
}

// -----

func.func @reinterpretFormat(%w: !lut.weights<10 x 64, <w2>>) {
  // expected-error@+1 {{changes more than the encoding}}
  %p = lut.reinterpret %w : !lut.weights<10 x 64, <w2>> -> !lut.weights<10 x 64, <w2z>, planes>
  return
}

// -----

!tables = !lut.tables<64, group = 64, unit = 5, trits = true, mirrored = false, digits = 0, radix = 0>
func.func @tritTables(%t: !tables, %w: !lut.weights<10 x 64, <w2>, planes>) {
  // expected-error@+1 {{tables of trits belong to ternary weights}}
  %y = lut.lookup_gemm %t, %w : !tables, !lut.weights<10 x 64, <w2>, planes> -> tensor<?x10xf32>
  return
}

// -----

!tables = !lut.tables<64, group = 64, unit = 2, trits = false, mirrored = false, digits = 0, radix = 0>
func.func @lookupUnit(%t: !tables, %w: !lut.weights<10 x 64, <w2>, planes>) {
  // expected-error@+1 {{reads tables of 2 elements of k, but format w2 packs units of 4}}
  %y = lut.lookup_gemm %t, %w : !tables, !lut.weights<10 x 64, <w2>, planes> -> tensor<?x10xf32>
  return
}

// -----

!tables = !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 0, radix = 0>
func.func @scheduledTooEarly(%t: !tables, %w: !lut.weights<10 x 64, <w2>, planes>) {
  // expected-error@+1 {{is scheduled before its tables are quantized}}
  %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = quad, row_vectors = 1, tokens = 1, token_block = 1, k_block = 0> : !tables, !lut.weights<10 x 64, <w2>, planes> -> tensor<?x10xf32>
  return
}

// -----

!tables = !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 0, radix = 0>
func.func @lookupGroup(%t: !tables, %w: !lut.weights<10 x 64, <w2g32>, planes>) {
  // expected-error@+1 {{groups of 64 do not match format w2g32}}
  %y = lut.lookup_gemm %t, %w : !tables, !lut.weights<10 x 64, <w2g32>, planes> -> tensor<?x10xf32>
  return
}

// -----

!tables = !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 0, radix = 0>
func.func @lookupRows(%t: !tables, %w: !lut.weights<10 x 64, <w2>, planes>) {
  // expected-error@+1 {{produces 12 rows but the weights have n = 10}}
  %y = lut.lookup_gemm %t, %w : !tables, !lut.weights<10 x 64, <w2>, planes> -> tensor<?x12xf32>
  return
}

// -----

!tables = !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 0, radix = 0>
func.func @lookupSchedule(%t: !tables, %w: !lut.weights<10 x 64, <w2>, planes>) {
  // expected-error@+1 {{is scheduled as dot}}
  %y = lut.lookup_gemm %t, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 1, k_block = 0> : !tables, !lut.weights<10 x 64, <w2>, planes> -> tensor<?x10xf32>
  return
}

// -----

func.func @dotSubgroup(%q: !lut.activations<256, group = 256>, %w: !lut.weights<10 x 256, <w4k32m>>) {
  // expected-error@+1 {{activations with sums of subgroups of 0 do not match format w4k32m}}
  %y = lut.dot_gemm %q, %w : !lut.activations<256, group = 256>, !lut.weights<10 x 256, <w4k32m>> -> tensor<?x10xf32>
  return
}

// -----

!tables = !lut.tables<64, group = 32, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>
func.func @lookupCodeBook(%t: !tables, %w: !lut.weights<10 x 64, <nl4g32>, planes>) {
  // expected-error@+1 {{format nl4g32 has no bit planes that could index tables}}
  %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = quad, row_vectors = 1, tokens = 1, token_block = 1, k_block = 0> : !tables, !lut.weights<10 x 64, <nl4g32>, planes> -> tensor<?x10xf32>
  return
}

// -----

func.func @dotGroup(%q: !lut.activations<64, group = 32>, %w: !lut.weights<10 x 64, <w158>>) {
  // expected-error@+1 {{groups of 32 do not match format w158}}
  %y = lut.dot_gemm %q, %w : !lut.activations<64, group = 32>, !lut.weights<10 x 64, <w158>> -> tensor<?x10xf32>
  return
}

// -----

func.func @dotK(%q: !lut.activations<64, group = 32>, %w: !lut.weights<10 x 96, <w2g32>>) {
  // expected-error@+1 {{reduces over k = 64 but the weights have k = 96}}
  %y = lut.dot_gemm %q, %w : !lut.activations<64, group = 32>, !lut.weights<10 x 96, <w2g32>> -> tensor<?x10xf32>
  return
}

// -----

func.func @dotSchedule(%q: !lut.activations<64, group = 64>, %w: !lut.weights<10 x 64, <w2>>) {
  // expected-error@+1 {{is scheduled as lookup}}
  %y = lut.dot_gemm %q, %w schedule <strategy = lookup, layout = quad, row_vectors = 1, tokens = 1, token_block = 1, k_block = 0> : !lut.activations<64, group = 64>, !lut.weights<10 x 64, <w2>> -> tensor<?x10xf32>
  return
}

// -----

!rounded = !lut.tables<70, group = 70, unit = 5, trits = true, mirrored = true, digits = 1, radix = 0>
func.func @unpackedTables(%t: !rounded, %w: !lut.weights<10 x 70, <w158>, trits>) {
  // expected-error@+1 {{unpacks codes, which multiply the activations of class a8 only}}
  %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = base3, row_vectors = 1, tokens = 1, token_block = 1, k_block = 140, run = 1, widen = 256, unpack_tokens = 4> : !rounded, !lut.weights<10 x 70, <w158>, trits> -> tensor<?x10xf32>
  return
}

// -----

!whole = !lut.tables<70, group = 70, unit = 5, trits = true, mirrored = false, digits = 1, radix = 0>
func.func @base3Unmirrored(%t: !whole, %w: !lut.weights<10 x 70, <w158>, trits>) {
  // expected-error@+1 {{mirrored tables and a layout whose codes have a sign need each other}}
  %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = base3, row_vectors = 1, tokens = 1, token_block = 1, k_block = 35, run = 1, widen = 256> : !whole, !lut.weights<10 x 70, <w158>, trits> -> tensor<?x10xf32>
  return
}

// -----

func.func @blocksAcrossGroups(%q: !lut.activations<512, group = 128>, %w: !lut.weights<10 x 512, <w2g128>>) {
  // expected-error@+1 {{has k blocks of 192, no multiple of its groups of 128}}
  %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 1, k_block = 192> : !lut.activations<512, group = 128>, !lut.weights<10 x 512, <w2g128>> -> tensor<?x10xf32>
  return
}

// -----

func.func @normWeight(%x: tensor<?x64xf32>, %w: tensor<32xf32>) {
  // expected-error@+1 {{operand #1 has 32 elements but x has 64}}
  %y = lut.norm rms %x, %w epsilon 1.0e-5 : tensor<?x64xf32>, tensor<32xf32>
  return
}

// -----

func.func @normBias(%x: tensor<?x64xf32>, %w: tensor<64xf32>, %b: tensor<63xf32>) {
  // expected-error@+1 {{operand #2 has 63 elements but x has 64}}
  %y = lut.norm layer %x, %w, %b epsilon 1.0e-5 : tensor<?x64xf32>, tensor<64xf32>, tensor<63xf32>
  return
}

// -----

func.func @normOneWeight(%x: tensor<?x64xf32>, %w: tensor<1xf32>) {
  // expected-error@+1 {{operand #1 has 1 elements but x has 64}}
  %y = lut.norm rms %x, %w epsilon 1.0e-5 : tensor<?x64xf32>, tensor<1xf32>
  return
}

// -----

func.func @normEpsilon(%x: tensor<?x64xf32>, %w: tensor<64xf32>) {
  // expected-error@+1 {{epsilon is negative}}
  %y = lut.norm rms %x, %w epsilon -1.0 : tensor<?x64xf32>, tensor<64xf32>
  return
}

// -----

func.func @gate(%x: tensor<?x64xf32>, %f: tensor<?x32xf32>) {
  // expected-error@+1 {{operand #1 and x differ in type}}
  %y = lut.activate silu %x, %f : tensor<?x64xf32>, tensor<?x32xf32>
  return
}

// -----

func.func @rotateBlock(%x: tensor<?x96xf32>) {
  // expected-error@+1 {{block 48 is no power of two from 2 on}}
  %y = lut.rotate %x block 48 : tensor<?x96xf32>
  return
}

// -----

func.func @rotateElements(%x: tensor<?x96xf32>) {
  // expected-error@+1 {{block 64 does not divide the 96 elements of a token}}
  %y = lut.rotate %x block 64 : tensor<?x96xf32>
  return
}

// -----

func.func @permuteInOrder(%x: tensor<?x64xf32>, %w: !lut.weights<8 x 64, <w2g32>>) {
  // expected-error@+1 {{format w2g32 has its columns in order}}
  %y = lut.permute %x, %w : tensor<?x64xf32>, !lut.weights<8 x 64, <w2g32>>
  return
}

// -----

func.func @permuteElements(%x: tensor<?x96xf32>, %w: !lut.weights<8 x 64, <w2g32p>>) {
  // expected-error@+1 {{x has 96 elements but the weights have k = 64}}
  %y = lut.permute %x, %w : tensor<?x96xf32>, !lut.weights<8 x 64, <w2g32p>>
  return
}

// -----

func.func @residual(%x: tensor<?x64xf32>, %r: tensor<?x32xf32>) {
  // expected-error@+1 {{operand #1 and x differ in type}}
  %y = lut.add %x, %r : tensor<?x64xf32>, tensor<?x32xf32>
  return
}

// -----

func.func @bias(%x: tensor<?x64xf32>, %b: tensor<32xf32>) {
  // expected-error@+1 {{operand #1 has 32 elements but x has 64}}
  %y = lut.add %x, %b : tensor<?x64xf32>, tensor<32xf32>
  return
}

// -----

func.func @stageInputs(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{inputs and arguments of the body differ in type}}
  %y = lut.stage(%x) : (tensor<?x64xf32>) -> tensor<?x64xf32> {
  ^bb0(%a: tensor<?x32xf32>):
    %b = lut.activate relu2 %a : tensor<?x32xf32>
    lut.yield %b : tensor<?x32xf32>
  }
  return
}

// -----

func.func @stageResult(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{yields another type than its result has}}
  %y = lut.stage(%x) : (tensor<?x64xf32>) -> tensor<?x32xf32> {
  ^bb0(%a: tensor<?x64xf32>):
    lut.yield %a : tensor<?x64xf32>
  }
  return
}

// -----

func.func @gates(%x: tensor<?x64xf32>, %e: tensor<?x8xi32>, %g: tensor<?x4xf32>) {
  // expected-error@+1 {{experts and gates differ in shape}}
  %y = lut.combine %x, %e, %g : tensor<?x64xf32>, tensor<?x8xi32>, tensor<?x4xf32>
  return
}

// -----

func.func @combinedResidual(%x: tensor<?x64xf32>, %e: tensor<?x8xi32>, %g: tensor<?x8xf32>, %r: tensor<?x32xf32>) {
  // expected-error@+1 {{x and residual differ in type}}
  %y = lut.combine %x, %e, %g residual %r : tensor<?x64xf32>, tensor<?x8xi32>, tensor<?x8xf32>, tensor<?x32xf32>
  return
}

// -----

func.func @convertShape(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{changes the shape}}
  %y = lut.convert %x : tensor<?x64xf32> -> tensor<?x32xf16>
  return
}

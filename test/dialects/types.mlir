// Types parse and print, in IR and in its generic form.
// RUN: lut-opt %s | lut-opt | FileCheck %s
// RUN: lut-opt %s --mlir-print-op-generic | lut-opt | FileCheck %s

// Codes are the encoding that is not written.
// CHECK: @weights(!lut.weights<1 x 1, <w1>>, !lut.weights<640 x 2560, <w158>>,
// CHECK-SAME: !lut.weights<7 x 500, <w3g64z>, planes>, !lut.weights<7 x 500, <w158r>, trits>)
func.func private @weights(!lut.weights<1 x 1, #lut.format<w1>>, !lut.weights<640 x 2560, #lut.format<w158>, codes>,
                           !lut.weights<7 x 500, <w3g64z>, planes>, !lut.weights<7 x 500, <w158r>, trits>)

// CHECK: @activations(!lut.activations<1, group = 1>, !lut.activations<500, group = 128>)
func.func private @activations(!lut.activations<1, group = 1>, !lut.activations<500, group = 128>)

// CHECK: @tables(!lut.tables<500, group = 128, unit = 4, trits = false, mirrored = false, digits = 0, radix = 0>,
// CHECK-SAME: !lut.tables<500, group = 500, unit = 5, trits = true, mirrored = true, digits = 1, radix = 0>,
// CHECK-SAME: !lut.tables<500, group = 500, unit = 8, trits = false, mirrored = true, digits = 2, radix = 46>)
func.func private @tables(!lut.tables<500, group = 128, unit = 4, trits = false, mirrored = false, digits = 0, radix = 0>,
                          !lut.tables<500, group = 500, unit = 5, trits = true, mirrored = true, digits = 1, radix = 0>,
                          !lut.tables<500, group = 500, unit = 8, trits = false, mirrored = true, digits = 2, radix = 46>)

// #lut.format: every row of Formats.def with every suffix its grammar allows.
// RUN: lut-opt %s | lut-opt | FileCheck %s
// RUN: lut-opt %s --mlir-print-op-generic | lut-opt | FileCheck %s

// CHECK-LABEL: @w1
// CHECK-SAME: [#lut.format<w1>, #lut.format<w1z>]
// CHECK-SAME: [#lut.format<w1g32>, #lut.format<w1g64>, #lut.format<w1g128>, #lut.format<w1g256>]
// CHECK-SAME: [#lut.format<w1g32z>, #lut.format<w1g64z>, #lut.format<w1g128z>, #lut.format<w1g256z>]
func.func private @w1() attributes {
  a.row = [#lut.format<w1>, #lut.format<w1z>],
  b.group = [#lut.format<w1g32>, #lut.format<w1g64>, #lut.format<w1g128>, #lut.format<w1g256>],
  c.zero = [#lut.format<w1g32z>, #lut.format<w1g64z>, #lut.format<w1g128z>, #lut.format<w1g256z>]
}

// CHECK-LABEL: @w158
// CHECK-SAME: [#lut.format<w158>, #lut.format<w158r>]
func.func private @w158() attributes {a.row = [#lut.format<w158>, #lut.format<w158r>]}

// CHECK-LABEL: @w2
// CHECK-SAME: [#lut.format<w2>, #lut.format<w2z>]
// CHECK-SAME: [#lut.format<w2g32>, #lut.format<w2g64>, #lut.format<w2g128>, #lut.format<w2g256>]
// CHECK-SAME: [#lut.format<w2g32z>, #lut.format<w2g64z>, #lut.format<w2g128z>, #lut.format<w2g256z>]
func.func private @w2() attributes {
  a.row = [#lut.format<w2>, #lut.format<w2z>],
  b.group = [#lut.format<w2g32>, #lut.format<w2g64>, #lut.format<w2g128>, #lut.format<w2g256>],
  c.zero = [#lut.format<w2g32z>, #lut.format<w2g64z>, #lut.format<w2g128z>, #lut.format<w2g256z>]
}

// CHECK-LABEL: @w3
// CHECK-SAME: [#lut.format<w3>, #lut.format<w3z>]
// CHECK-SAME: [#lut.format<w3g32>, #lut.format<w3g64>, #lut.format<w3g128>, #lut.format<w3g256>]
// CHECK-SAME: [#lut.format<w3g32z>, #lut.format<w3g64z>, #lut.format<w3g128z>, #lut.format<w3g256z>]
func.func private @w3() attributes {
  a.row = [#lut.format<w3>, #lut.format<w3z>],
  b.group = [#lut.format<w3g32>, #lut.format<w3g64>, #lut.format<w3g128>, #lut.format<w3g256>],
  c.zero = [#lut.format<w3g32z>, #lut.format<w3g64z>, #lut.format<w3g128z>, #lut.format<w3g256z>]
}

// CHECK-LABEL: @w4
// CHECK-SAME: [#lut.format<w4>, #lut.format<w4z>]
// CHECK-SAME: [#lut.format<w4g32>, #lut.format<w4g64>, #lut.format<w4g128>, #lut.format<w4g256>]
// CHECK-SAME: [#lut.format<w4g32z>, #lut.format<w4g64z>, #lut.format<w4g128z>, #lut.format<w4g256z>]
func.func private @w4() attributes {
  a.row = [#lut.format<w4>, #lut.format<w4z>],
  b.group = [#lut.format<w4g32>, #lut.format<w4g64>, #lut.format<w4g128>, #lut.format<w4g256>],
  c.zero = [#lut.format<w4g32z>, #lut.format<w4g64z>, #lut.format<w4g128z>, #lut.format<w4g256z>]
}

// CHECK-LABEL: @permuted
// CHECK-SAME: [#lut.format<w1p>, #lut.format<w2zp>, #lut.format<w3g64p>, #lut.format<w4g128zp>]
func.func private @permuted() attributes {a.columns = [#lut.format<w1p>, #lut.format<w2zp>, #lut.format<w3g64p>, #lut.format<w4g128zp>]}

// CHECK-LABEL: @scaleTypes
// CHECK-SAME: [#lut.format<w4b>, #lut.format<w4s>, #lut.format<w1zb>, #lut.format<w8zsp>]
// CHECK-SAME: [#lut.format<w4g128b>, #lut.format<w2g64s>, #lut.format<w4g32zb>, #lut.format<w3g256ms>, #lut.format<w6g16mbp>, #lut.format<w4g32ep>]
// CHECK-SAME: [#lut.format<nl4b>, #lut.format<fp4s>, #lut.format<nl4g32s>, #lut.format<fp4g16s>, #lut.format<fp4g32e>, #lut.format<fp4g16f>]
func.func private @scaleTypes() attributes {
  a.row = [#lut.format<w4b>, #lut.format<w4s>, #lut.format<w1zb>, #lut.format<w8zsp>],
  b.group = [#lut.format<w4g128b>, #lut.format<w2g64s>, #lut.format<w4g32zb>, #lut.format<w3g256ms>, #lut.format<w6g16mbp>, #lut.format<w4g32ep>],
  c.book = [#lut.format<nl4b>, #lut.format<fp4s>, #lut.format<nl4g32s>, #lut.format<fp4g16s>, #lut.format<fp4g32e>, #lut.format<fp4g16f>]
}

// CHECK-LABEL: @vectors
// CHECK-SAME: [#lut.format<iq2xxs>, #lut.format<iq2xs>, #lut.format<iq2s>, #lut.format<iq3xxs>, #lut.format<iq3s>, #lut.format<iq1s>, #lut.format<iq1m>]
func.func private @vectors() attributes {
  a.books = [#lut.format<iq2xxs>, #lut.format<iq2xs>, #lut.format<iq2s>, #lut.format<iq3xxs>, #lut.format<iq3s>, #lut.format<iq1s>, #lut.format<iq1m>]
}

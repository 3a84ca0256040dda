// Names that are no weight format, and what to write instead.
// RUN: lut-opt %s -split-input-file -verify-diagnostics

// expected-error-re@+1 {{'w0' is no weight format; write w1, {{.*}}, such as w2g128}}
func.func private @stem() attributes {format = #lut.format<w0>}

// -----

// The stem takes all digits: this is not w1 and a rest.
// expected-error@+1 {{'w16' is no weight format}}
func.func private @longStem() attributes {format = #lut.format<w16>}

// -----

// expected-error@+1 {{'w2g100': 100 is no group size; write w2g16, w2g32, w2g64, w2g128 or w2g256, or w2 for one scale per row}}
func.func private @group() attributes {format = #lut.format<w2g100>}

// -----

// expected-error@+1 {{'w4g032': 032 is no group size}}
func.func private @leadingZero() attributes {format = #lut.format<w4g032>}

// -----

// expected-error@+1 {{'w3gz' has no group size; write w3g16, w3g32, w3g64, w3g128 or w3g256, or w3 for one scale per row}}
func.func private @noGroup() attributes {format = #lut.format<w3gz>}

// -----

// expected-error@+1 {{'w2g128q' ends in 'q'; write w2g128, or w2g128z with zero points, w2g128m with minimums, w2g128e with e8m0 scales, w2g128f with e4m3 scales, w2g128b with bf16 scales, w2g128s with f32 scales; b and s also after z or m; after these p for permuted columns}}
func.func private @suffix() attributes {format = #lut.format<w2g128q>}

// -----

// expected-error@+1 {{'w1zz' ends in 'zz'; write w1, or w1z with zero points}}
func.func private @twice() attributes {format = #lut.format<w1zz>}

// -----

// expected-error@+1 {{'w158g64': w158 has neither groups nor zero points; write w158 (one scale per tensor) or w158r (one per row)}}
func.func private @ternaryGroup() attributes {format = #lut.format<w158g64>}

// -----

// expected-error@+1 {{'w158z': w158 has neither groups nor zero points}}
func.func private @ternaryZeroPoint() attributes {format = #lut.format<w158z>}

// -----

// expected-error@+1 {{'w4k64': 64 is no group size; write w4k16 or w4k32, or w4 for one scale per row}}
func.func private @subgroup() attributes {format = #lut.format<w4k64>}

// -----

// expected-error@+1 {{'iq3sg32': iq3s has scales of its own; write iq3s}}
func.func private @groupsOfVectors() attributes {format = #lut.format<iq3sg32>}

// -----

// Two levels have minimums, but no zero points.
// expected-error@+1 {{'w4k32z' ends in 'z'; write w4k32, or w4k32m with minimums}}
func.func private @zerosOnTwoLevels() attributes {format = #lut.format<w4k32z>}

// -----

// expected-error@+1 {{'w4m' ends in 'm'; write w4, or w4z with zero points}}
func.func private @minimumsOfRows() attributes {format = #lut.format<w4m>}

// -----

// A code book has neither zero points nor minimums.
// expected-error@+1 {{'fp4g32z' ends in 'z'; write fp4g32, or fp4g32e with e8m0 scales, fp4g32f with e4m3 scales}}
func.func private @zerosOfCodeBook() attributes {format = #lut.format<fp4g32z>}

// -----

// expected-error@+1 {{'w158p': w158 has neither groups nor zero points}}
func.func private @ternaryColumns() attributes {format = #lut.format<w158p>}

// -----

// expected-error@+1 {{'w4g128pz' ends in 'pz'; write w4g128, or w4g128z with zero points, w4g128m with minimums, w4g128e with e8m0 scales, w4g128f with e4m3 scales, w4g128b with bf16 scales, w4g128s with f32 scales; b and s also after z or m; after these p for permuted columns}}
func.func private @columnsFirst() attributes {format = #lut.format<w4g128pz>}

// -----

// expected-error@+1 {{'w4g128bz' ends in 'bz'; write w4g128, or w4g128z with zero points}}
func.func private @scalesFirst() attributes {format = #lut.format<w4g128bz>}

// -----

// expected-error@+1 {{'w4g128ze' ends in 'ze'; write w4g128, or w4g128z with zero points, w4g128m with minimums, w4g128e with e8m0 scales, w4g128f with e4m3 scales, w4g128b with bf16 scales, w4g128s with f32 scales; b and s also after z or m;}}
func.func private @exponentsOfZeroPoints() attributes {format = #lut.format<w4g128ze>}

// -----

// expected-error@+1 {{'w4bs' ends in 'bs'; write w4, or w4z with zero points, w4b with bf16 scales, w4s with f32 scales; b and s also after z; after these p for permuted columns}}
func.func private @twoTypes() attributes {format = #lut.format<w4bs>}

// -----

// expected-error@+1 {{'w4k32s' ends in 's'; write w4k32, or w4k32m with minimums; after these p for permuted columns}}
func.func private @floatsOnTwoLevels() attributes {format = #lut.format<w4k32s>}

// -----

// expected-error@+1 {{'nl4z' ends in 'z'; write nl4, or nl4b with bf16 scales, nl4s with f32 scales}}
func.func private @rowsOfCodeBook() attributes {format = #lut.format<nl4z>}

// -----

// expected-error@+1 {{'w158s': w158 has neither groups nor zero points}}
func.func private @ternaryScales() attributes {format = #lut.format<w158s>}

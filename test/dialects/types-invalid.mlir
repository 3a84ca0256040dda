// Types that cannot be.
// RUN: lut-opt %s -split-input-file -verify-diagnostics

// expected-error@+1 {{weights need n and k of at least 1, not 0 x 4}}
func.func private @noRows(!lut.weights<0 x 4, <w2>>)

// -----

// expected-error@+1 {{weights need n and k of at least 1, not 4 x 0}}
func.func private @noK(!lut.weights<4 x 0, <w2>>)

// -----

// expected-error@+1 {{format w2 has no trits}}
func.func private @trits(!lut.weights<4 x 4, <w2>, trits>)

// -----

// expected-error@+1 {{format w158 has no bit planes}}
func.func private @planes(!lut.weights<4 x 4, <w158>, planes>)

// -----

// expected-error@+1 {{group = 65 must be between 1 and k = 64}}
func.func private @activationGroup(!lut.activations<64, group = 65>)

// -----

// expected-error@+1 {{group = 0 must be between 1 and k = 64}}
func.func private @noGroup(!lut.activations<64, group = 0>)

// -----

// expected-error@+1 {{group = 128 must be between 1 and k = 64}}
func.func private @tableGroup(!lut.tables<64, group = 128, unit = 4, trits = false, mirrored = false, digits = 0, radix = 0>)

// -----

// expected-error@+1 {{unit = 9 must be between 1 and 8}}
func.func private @bitsOfUnit(!lut.tables<64, group = 64, unit = 9, trits = false, mirrored = false, digits = 0, radix = 0>)

// -----

// expected-error@+1 {{unit = 6 must be between 1 and 5}}
func.func private @tritsOfUnit(!lut.tables<64, group = 64, unit = 6, trits = true, mirrored = false, digits = 0, radix = 0>)

// -----

// expected-error@+1 {{unit = 5 must divide group = 32}}
func.func private @unitAcrossGroups(!lut.tables<64, group = 32, unit = 5, trits = true, mirrored = false, digits = 0, radix = 0>)

// -----

// expected-error@+1 {{digits must be 0, 1 or 2, with an even radix for 2}}
func.func private @threeDigits(!lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 3, radix = 32>)

// -----

// expected-error@+1 {{digits must be 0, 1 or 2, with an even radix for 2}}
func.func private @noRadix(!lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 2, radix = 0>)

// -----

// expected-error@+1 {{digits must be 0, 1 or 2, with an even radix for 2}}
func.func private @oddRadix(!lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 2, radix = 33>)

// -----

// expected-error@+1 {{digits must be 0, 1 or 2, with an even radix for 2}}
func.func private @radixOfOneDigit(!lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 1, radix = 32>)

// -----

// expected-error@+1 {{digits must be 0, 1 or 2, with an even radix for 2}}
func.func private @negativeRadix(!lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 1, radix = -2>)

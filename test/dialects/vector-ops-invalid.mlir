// Ops on vectors whose sizes do not fit.
// RUN: lut-opt %s -split-input-file -verify-diagnostics

func.func @oneEntry(%table: vector<64xi8>, %index: vector<64xi8>) {
  // expected-error@+1 {{entries = 1 must be a power of two up to 256 that divides the table's 64 bytes}}
  %v = lut.lookup %table[%index] entries 1 : vector<64xi8>, vector<64xi8>
  return
}

// -----

func.func @noPowerOfTwo(%table: vector<96xi8>, %index: vector<64xi8>) {
  // expected-error@+1 {{entries = 48 must be a power of two up to 256 that divides the table's 96 bytes}}
  %v = lut.lookup %table[%index] entries 48 : vector<96xi8>, vector<64xi8>
  return
}

// -----

func.func @tooManyEntries(%table: vector<16xi8>, %index: vector<64xi8>) {
  // expected-error@+1 {{entries = 32 must be a power of two up to 256 that divides the table's 16 bytes}}
  %v = lut.lookup %table[%index] entries 32 : vector<16xi8>, vector<64xi8>
  return
}

// -----

func.func @beyondAByte(%table: vector<512xi8>, %index: vector<64xi8>) {
  // expected-error@+1 {{entries = 512 must be a power of two up to 256 that divides the table's 512 bytes}}
  %v = lut.lookup %table[%index] entries 512 : vector<512xi8>, vector<64xi8>
  return
}

// -----

func.func @wideTable(%table: vector<16xi16>, %index: vector<64xi8>) {
  // expected-error@+1 {{operand #0 must be vector of 8-bit signless integer values of ranks 1}}
  %v = lut.lookup %table[%index] entries 16 : vector<16xi16>, vector<64xi8>
  return
}

// -----

func.func @lanes(%acc: vector<16xi32>, %codes: vector<32xi8>) {
  // expected-error@+1 {{sums 4 bytes to a lane: 32 bytes need 8 lanes, not 16}}
  %v = lut.dot %acc, %codes, %codes max 3 : vector<16xi32>, vector<32xi8>
  return
}

// -----

func.func @maxOfNothing(%acc: vector<8xi32>, %codes: vector<32xi8>) {
  // expected-error@+1 {{max = 0 must be between 1 and 255}}
  %v = lut.dot %acc, %codes, %codes max 0 : vector<8xi32>, vector<32xi8>
  return
}

// -----

func.func @maxOfMoreThanAByte(%acc: vector<8xi32>, %codes: vector<32xi8>) {
  // expected-error@+1 {{max = 256 must be between 1 and 255}}
  %v = lut.dot %acc, %codes, %codes max 256 : vector<8xi32>, vector<32xi8>
  return
}

// -----

func.func @maxOfPairs(%acc: vector<16xi16>, %codes: vector<32xi8>) {
  // expected-error@+1 {{max = 129 must be between 1 and 128}}
  %v = lut.dot %acc, %codes, %codes max 129 : vector<16xi16>, vector<32xi8>
  return
}

// -----

func.func @signedQuads(%acc: vector<8xi32>, %codes: vector<32xi8>) {
  // expected-error@+1 {{sums signed codes to lanes of 16 bits only}}
  %v = lut.dot %acc, signed %codes, %codes max 3 : vector<8xi32>, vector<32xi8>
  return
}

// -----

func.func @words(%acc: vector<8xi32>, %words: vector<8xi16>) {
  // expected-error@+1 {{sums 2 words to a lane: 8 words need 4 lanes, not 8}}
  %v = lut.add_pairs %acc, %words, %words : vector<8xi32>, vector<8xi16>
  return
}

// -----

func.func @pairs(%bytes: vector<32xi8>, %sums: vector<8xi16>) {
  // expected-error@+1 {{adds pairs of bytes to 16-bit lanes: 32 bytes need 16 lanes, not 8}}
  %even, %odd = lut.accumulate %bytes, %sums, %sums : vector<32xi8>, vector<8xi16>
  return
}

// The lmma dialect; documentation of every op is in Lmma.td, of the machine in runtime/lmma.
#ifndef LUT_DIALECTS_LMMA_LMMA_H
#define LUT_DIALECTS_LMMA_LMMA_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"

#include "dialects/lmma/LmmaDialect.h.inc"
#include "dialects/lmma/LmmaEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/lmma/LmmaAttrs.h.inc"
#define GET_OP_CLASSES
#include "dialects/lmma/LmmaOps.h.inc"

namespace lut::lmma {
/// k of one table: 4, or 3 trits.
inline int64_t unitOf(Element weights) { return weights == Element::t3 ? 3 : 4; }
/// Entries of one table in registers.
inline int64_t entriesOf(Element weights) { return weights == Element::t3 ? 16 : 8; }
/// Weights of `bits` planes: i1 to i6, i8.
Element planesOf(int64_t bits);
/// Bit planes of a weight; a unit of trits has one index.
int64_t planesOf(Element weights);
/// Bytes of an element; of weights see weightBytes.
int64_t bytesOf(Element type);
/// Bytes of a fragment W[N][K].
int64_t weightBytes(Element weights, int64_t n, int64_t k);
} // namespace lut::lmma

#endif

// A function of stages as the runtime runs it: what it reads and writes, which functions run, and in what
// order.
#ifndef LUT_PASSES_TILE_PROGRAM_H
#define LUT_PASSES_TILE_PROGRAM_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Geometry.h"

namespace lut {

/// An operand of the functions of a program: first the arguments of the tensor-level function, then the
/// results of its stages, then buffers.
struct Slot {
  enum class Kind { rows, vector, weights, result, routes, experts, scratch };
  Kind kind = Kind::scratch;
  int64_t size = 0;        // elements of a row or vector; bytes of scratch for a token
  mlir::Value value;       // null: a buffer
  bool routed = false;     // a row, or bytes, for each pair of a token and one of its experts
  mlir::Type element = {}; // of a result; null: f32
  int64_t fixed = 0;       // bytes of scratch besides: a few tokens may take more than `size` each
};

/// Where a program sends tokens to experts and adds up what comes back, by slots. Without experts `top` is 0.
struct Routing {
  int64_t top = 0;
  unsigned experts = 0, gates = 0, combined = 0, result = 0;
  llvm::SmallVector<std::pair<unsigned, unsigned>> gathers; // prepared activations of tokens, of pairs
  std::optional<unsigned> residual;
  int64_t segmentTokens = 0; // pairs that one product takes at a time
};

/// Functions by name, which stages of equal code share: those of a target, of bodies (Body::productName,
/// Body::prepareName), of sources and of what follows products. Of a LUT-instruction machine a product has
/// functions of its own.
struct ProgramStage {
  StageOp op;
  Geometry geometry;               // of the product, or of one that reads what is prepared
  std::string run, source, finish; // source, finish: empty where the stage has none
  // What `run` calls where codes are unpacked: for codes, for multiples, too, and for products; else empty.
  std::string unpack, unpackMultiples, unpacked;
  unsigned result = 0, buffer = 0;        // slots; buffer 0: the stage needs none
  llvm::SmallVector<unsigned> slots = {}; // operands by LUTC_STAGE_RESULT and so on
  int64_t phase = 0;                      // stages of a phase do not depend on each other
  bool routed = false;                    // for pairs of tokens and experts
  bool plain = false;                     // results are stored as f32 and nothing else
};

struct Program {
  llvm::SmallVector<Slot> slots;
  std::vector<ProgramStage> stages; // by phase
  int64_t tokenBlock = 0;           // tokens that pass through all stages at a time
  Routing routing;

  /// Bytes of scratch for each token of a block.
  int64_t scratchBytes() const;
  /// The slot of an argument or of a stage's result.
  unsigned slotOf(mlir::Value value) const;
};

/// On a function whose n and k are decided at run time: those of its types are examples.
inline constexpr llvm::StringLiteral kOpenAttrName = "lut.open";

/// On a product stage of a LUT-instruction machine: its programs, by ascending tokens, and their buffers.
inline constexpr llvm::StringLiteral kLmmaProgramsAttrName = "lut.lmma_programs";
inline constexpr llvm::StringLiteral kLmmaBuffersAttrName = "lut.lmma_buffers";

/// The program of a function that consists of stages.
Program getProgram(mlir::func::FuncOp function, TargetAttr target);

} // namespace lut

#endif

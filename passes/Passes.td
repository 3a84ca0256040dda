// The passes of lut, in the order of codegen/library/Pipeline.cpp. Name X = file X.cpp = flag --lut-x = test test/passes/x.mlir.
#ifndef LUT_PASSES_TD
#define LUT_PASSES_TD

include "mlir/Pass/PassBase.td"

def Decompose : Pass<"lut-decompose", "::mlir::ModuleOp"> {
  let summary = "split a product into quantization, table precompute and lookup";
  let description = [{
    The data-flow split of LUT Tensor Core section 3.3.2. Class a8 quantizes activations to int8 and builds tables of
    exact sums; class t8 builds tables of the float activations. One table serves `unit` consecutive k.
    Example: test/passes/decompose.mlir
  }];
  let dependentDialects = ["::lut::LutDialect"];
}

def ReinterpretWeights : Pass<"lut-reinterpret-weights", "::mlir::ModuleOp"> {
  let summary = "read unsigned codes as planes of -1/+1, ternary codes as trits";
  let description = [{
    q' = 2q - (2^b - 1): every bit plane is -1/+1 with the positive weight 2^p, so that one table serves all planes
    and none is special (LUT Tensor Core eq. 1-3).
    Example: test/passes/reinterpret-weights.mlir
  }];
  let dependentDialects = ["::lut::LutDialect"];
}

def SymmetrizeTables : Pass<"lut-symmetrize-tables", "::mlir::ModuleOp"> {
  let summary = "keep one of each pair T[c] = -T[-c] where the target cannot reach all entries";
  let description = [{
    The sign moves into the packed code (LUT Tensor Core eq. 4-6). A table of at most 16 entries stays whole: every
    byte permute reaches it, and a whole table needs no sign at run time. Tables of trits are always halved: packed trits
    carry a sign on every target.
    Example: test/passes/symmetrize-tables.mlir
  }];
  let dependentDialects = ["::lut::LutDialect"];
}

def QuantizeTables : Pass<"lut-quantize-tables", "::mlir::ModuleOp"> {
  let summary = "give table entries their run-time type: int8, or two int8 digits of an exact sum";
  let description = [{
    Float sums become int8 with one scale per group. Sums of int8 activations stay exact: T = radix * hi + lo + radix/2
    with the smallest even radix whose square covers all sums.
    Example: test/passes/quantize-tables.mlir
  }];
  let dependentDialects = ["::lut::LutDialect"];
}

def ShareTables : Pass<"lut-share-tables", "::mlir::ModuleOp"> {
  let summary = "prepare activations once for all experts of a token";
  let description = [{
    Quantizations and tables of routed rows become routed quantizations and tables. Equal ones (q, k, v; gate, up; bit
    planes of several widths) are then merged by common-subexpression elimination.
    Example: test/passes/share-tables.mlir
  }];
  let dependentDialects = ["::lut::LutDialect"];
}

def ChooseSchedule : Pass<"lut-choose-schedule", "::mlir::ModuleOp"> {
  let summary = "pick strategy, layout and tile from the target's facts";
  let description = [{
    Predicts every legal candidate with CostModel.h and takes the fastest; a strategy the user asked for is kept, and a
    measured schedule (`lut.tuned`) is taken as it is. The choice is the attribute `schedule`, its reason `lut.reason`.
    Example: test/passes/choose-schedule.mlir
  }];
  let dependentDialects = ["::lut::LutDialect"];
}

def CheckAccumulators : Pass<"lut-check-accumulators", "::mlir::ModuleOp"> {
  let summary = "prove that no sum overflows, widening earlier where that is needed";
  let description = [{
    Bounds 8-, 16- and 32-bit sums of every scheduled product. `run` and `widen` are lowered to the largest values that
    are proven; a product that overflows 32 bits, or whose multipliers do not fit a byte, is rejected.
    Example: test/passes/check-accumulators.mlir
  }];
  let dependentDialects = ["::lut::LutDialect"];
}

def FusePrecompute : Pass<"lut-fuse-precompute", "::mlir::ModuleOp"> {
  let summary = "join norms, activation functions and residuals with the products around them";
  let description = [{
    Every product becomes a stage with the additions and scalings that follow it; what produces its activations, up to
    the results of other stages, becomes a stage that prepares them (LUT Tensor Core section 3.3.2).
    Products that read the same bytes share that stage.
    Example: test/passes/fuse-precompute.mlir
  }];
  let dependentDialects = ["::lut::LutDialect", "::mlir::func::FuncDialect"];
}

def ConvertToLmma : Pass<"lut-convert-to-lmma", "::mlir::ModuleOp"> {
  let summary = "turn products into programs of a LUT-instruction machine";
  let description = [{
    On a target with an array, every product stage gets `lmma.program`s: one for a few tokens, one for a batch. A block is
    `row_vectors` warps side by side along the rows; they make tables of int8 activations in registers, share them
    through the scratchpad, look planes up, and scale and store the results. On other targets nothing changes.
    Example: test/passes/convert-to-lmma.mlir
  }];
  let dependentDialects = ["::lut::lmma::LmmaDialect"];
}

def Tile : Pass<"lut-tile", "::mlir::ModuleOp"> {
  let summary = "turn stages into functions of loops over tokens or tiles";
  let description = [{
    Code depends on a product's class, format, layout and schedule, which its functions are named after; n and k are
    numbers that it loads. Stages of equal code share `prepare_...`, which quantizes activations of tokens [begin, end) or
    builds their tables, `source_...`, which computes, orders or pads a token's activations before, `product_...`, which
    produces rows of tiles [begin, end), and `finish_...`, which adds and stores what follows a product, and the rows of
    a tile that is not whole (the contract is runtime/kernel.h). A product of a LUT-instruction machine has a function of
    its own, `<name>_compute`. Pointers are !llvm.ptr: one packed stream mixes bytes, f16 and i32.
    Example: test/passes/tile.mlir
  }];
  let dependentDialects = ["::lut::LutDialect", "::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
                           "::lut::lmma::LmmaDialect"];
}

#endif

// The lut dialect: mixed-precision matrix products (mpGEMM) by table lookup.
//
//   Y[m,n] = X[m,k] * W[n,k]^T      m tokens, n output rows, k reduction
//
// Tensor level: one op per product, whole tensors, no layout. Vector level: what one instruction sequence does.
#ifndef LUT_DIALECTS_LUT_TD
#define LUT_DIALECTS_LUT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/BuiltinTypeInterfaces.td"
include "mlir/IR/CommonTypeConstraints.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Lut_Dialect : Dialect {
  let name = "lut";
  let cppNamespace = "::lut";
  let summary = "mixed-precision matrix products by table lookup";
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let hasConstantMaterializer = 1;
}

//===----------------------------------------------------------------------===//
// Enums
//===----------------------------------------------------------------------===//

class Lut_Enum<string name, string summary, list<I32EnumAttrCase> cases> : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::lut";
  let genSpecializedAttr = 0;
}

def Lut_Numerics : Lut_Enum<"Numerics", "numerics class: Y is bit-identical within one", [
  I32EnumAttrCase<"a8", 0>, // int8 activations, exact integers within a group
  I32EnumAttrCase<"t8", 1>  // int8 table entries of float activations, exact integers within a group
]>;
def Lut_NumericsAttr : EnumAttr<Lut_Dialect, Lut_Numerics, "numerics">;

def Lut_Strategy : Lut_Enum<"Strategy", "which side of the product the table is on", [
  I32EnumAttrCase<"dot", 0>,   // weight-side: codes become integers in a register and feed a dot product
  I32EnumAttrCase<"lookup", 1> // activation-side: codes index tables of partial sums of activations
]>;
def Lut_StrategyAttr : EnumAttr<Lut_Dialect, Lut_Strategy, "strategy">;

def Lut_Layout : Lut_Enum<"Layout", "placement of weight bits in a vector; defined in runtime/kernel.h", [
  I32EnumAttrCase<"dot", 0>, I32EnumAttrCase<"quad", 1>, I32EnumAttrCase<"column", 2>, I32EnumAttrCase<"base3", 3>,
  I32EnumAttrCase<"nibbles", 4>, I32EnumAttrCase<"trits", 5>, I32EnumAttrCase<"book", 6>
]>;

def Lut_Encoding : Lut_Enum<"Encoding", "what the stored bits of a weight mean", [
  I32EnumAttrCase<"codes", 0>,  // unsigned codes into the format's code book
  I32EnumAttrCase<"planes", 1>, // bit planes of -1/+1, plane p weighs 2^p (LUT Tensor Core eq. 2)
  I32EnumAttrCase<"trits", 2>   // -1, 0, +1
]>;

def Lut_NormKind : Lut_Enum<"NormKind", "how a token is normalized", [
  I32EnumAttrCase<"rms", 0>,  // x / sqrt(mean(x^2) + epsilon)
  I32EnumAttrCase<"layer", 1> // (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon)
]>;
def Lut_NormKindAttr : EnumAttr<Lut_Dialect, Lut_NormKind, "norm_kind">;

def Lut_Activation : Lut_Enum<"Activation", "the nonlinear function of a feed-forward layer", [
  I32EnumAttrCase<"silu", 0>,  // x / (1 + exp(-x))
  I32EnumAttrCase<"gelu", 1>,  // x / (1 + exp(-2 sqrt(2/pi) (x + 0.044715 x^3))), the tanh form
  I32EnumAttrCase<"relu2", 2>, // max(x, 0)^2
  I32EnumAttrCase<"none", 3>   // x
]>;
def Lut_ActivationAttr : EnumAttr<Lut_Dialect, Lut_Activation, "activation">;

def Lut_DotKind : Lut_Enum<"DotKind", "the widest byte product a target has", [
  I32EnumAttrCase<"none", 0>,  // 16-bit products only
  I32EnumAttrCase<"pairs", 1>, // u8 x s8, sums of 2 saturate at 16 bits
  I32EnumAttrCase<"quads", 2>  // u8 x s8, sums of 4 added exactly to 32 bits
]>;

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

class Lut_Attr<string name, string attrMnemonic> : AttrDef<Lut_Dialect, name> { let mnemonic = attrMnemonic; }

def Lut_FormatAttr : Lut_Attr<"WeightFormat", "format"> {
  let summary = "a weight format: a row of Formats.def with how its weights share scales, and what is added to them";
  let description = [{
    Written by its name, whose grammar is in Format.h: `#lut.format<w2g128z>` is 2-bit codes, groups of 128 along k,
    f16 scales and u8 zero points; `#lut.format<w4g64mb>` is 4-bit codes with bf16 scales and minimums;
    `#lut.format<w4k32m>` is 4-bit codes whose scales and minimums have two levels.
  }];
  let parameters = (ins StringRefParameter<"name">:$name);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The parsed name; the verifier has seen that it parses.
    ::lut::Format getFormat() const;
  }];
}

def Lut_TargetAttr : Lut_Attr<"Target", "target"> {
  let summary = "the facts about an instruction set that passes decide by";
  let description = [{
    Attached to a module as `lut.target`; filled from a row of codegen/targets/Targets.def. Passes read facts and never the name.
    Cycles are reciprocal throughputs per vector instruction in tenths of a cycle.
  }];
  let parameters = (ins
    StringRefParameter<"row of the target table">:$name,
    "int64_t":$vector_bytes,
    "int64_t":$registers,
    EnumParameter<Lut_DotKind>:$dot,
    "int64_t":$permute_bytes,   // table bytes one single-source byte permute reaches; 0: no such instruction
    "int64_t":$permute2_bytes,  // the same of a two-source permute
    "int64_t":$dot_cycles10,
    "int64_t":$permute_cycles10,
    "int64_t":$permute2_cycles10,
    "int64_t":$simple_cycles10, // and, shift, add
    "int64_t":$l1_bytes,
    "int64_t":$stream_bytes_per_100_cycles, // weights one core reads from memory
    DefaultValuedParameter<"int64_t", "0">:$prefetch_bytes, // software prefetch distance that pays; 0: none does
    OptionalParameter<"::mlir::Attribute">:$machine); // #lmma.machine<...>: a LUT-instruction machine
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Whether products are programs of a LUT-instruction machine.
    bool hasArray() const { return bool(getMachine()); }
    /// Entries of a table that a lookup reaches. An array has half tables, and the sign in the code (LUT Tensor Core
    /// section 3.1.2).
    int64_t getTableEntries() const;
    /// k that share a table of weights of a format.
    int64_t unitOf(const ::lut::FormatRow &row) const;
    /// Whether entries are sums of int8 as they are, not two digits.
    bool hasWideEntries() const { return hasArray(); }
  }];
}

def Lut_ScheduleAttr : Lut_Attr<"Schedule", "schedule"> {
  let summary = "how one product runs on one target";
  let description = [{
    A tile is `row_vectors` vectors of rows by `tokens` tokens. `k_block` elements of k are finished for a panel of tiles before
    the next block (0: all of k at once). Within a block all tokens take their turn on a tile of weights, or, with
    `rows_inner`, all rows on a tile of tokens: what stays in L1 is the weights or the tables. Tiles of several tokens
    take `batch_row_vectors` of the row vectors at a time (0: all). Blocks of `unpack_tokens` tokens and more (0: never)
    multiply bytes: the codes of a tile and k block are unpacked once, to memory that stays in cache, also those of
    lookups in class a8. Single tokens prefetch the stream `prefetch` bytes ahead. `run` lookups are added in 8 bits and `widen` runs in 16 bits before the sum
    moves on to 32 bits; both are 0 where a dot product accumulates in 32 bits directly. On a LUT-instruction machine a
    tile is a block of `row_vectors` warps, each with 2 * `vector_bytes` rows by `tokens` tokens.
  }];
  let parameters = (ins
    EnumParameter<Lut_Strategy>:$strategy,
    EnumParameter<Lut_Layout>:$layout,
    "int64_t":$row_vectors,
    "int64_t":$tokens,
    "int64_t":$token_block,
    "int64_t":$k_block,
    DefaultValuedParameter<"int64_t", "0">:$run,
    DefaultValuedParameter<"int64_t", "0">:$widen,
    DefaultValuedParameter<"int64_t", "0">:$prefetch,
    DefaultValuedParameter<"bool", "false">:$rows_inner,
    DefaultValuedParameter<"int64_t", "0">:$batch_row_vectors,
    DefaultValuedParameter<"int64_t", "0">:$unpack_tokens);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

class Lut_Type<string name, string typeMnemonic> : TypeDef<Lut_Dialect, name> { let mnemonic = typeMnemonic; }

def Lut_WeightsType : Lut_Type<"Weights", "weights"> {
  let summary = "the n x k weight matrix with its scales, zero points and minimums";
  let parameters = (ins "int64_t":$n, "int64_t":$k, "::lut::WeightFormatAttr":$format,
                        DefaultValuedParameter<"::lut::Encoding", "::lut::Encoding::codes">:$encoding);
  let assemblyFormat = "`<` $n `x` $k `,` $format (`,` $encoding^)? `>`";
  let genVerifyDecl = 1;
}

def Lut_ActivationsType : Lut_Type<"Activations", "activations"> {
  let summary = "int8 activations of any number of tokens, one f32 scale per group of k";
  let description = [{ And one i32 sum of each group, or of each `subgroup` elements where those are given. }];
  let parameters = (ins "int64_t":$k, "int64_t":$group, DefaultValuedParameter<"int64_t", "0">:$subgroup);
  let assemblyFormat = "`<` $k `,` `group` `=` $group (`,` `subgroup` `=` $subgroup^)? `>`";
  let genVerifyDecl = 1;
}

def Lut_TablesType : Lut_Type<"Tables", "tables"> {
  let summary = "one table of partial sums for every `unit` consecutive k of every token";
  let description = [{
    Entry c holds the sum of c_e * x_e over the unit, e ascending, where c runs through all sign patterns (`trits`
    false: c_e in {-1,1}, 2^unit entries) or all trit patterns (c_e in {-1,0,1}, 3^unit entries). `mirrored` keeps one
    of each pair c, -c. Entries are the source's own (`source`: exact), or i8 with one scale per `group` of k, or i8
    digits of an exact sum: T = radix * hi + lo + radix / 2, both in [-radix/2, radix/2).
  }];
  let parameters = (ins "int64_t":$k, "int64_t":$group, "int64_t":$unit, "bool":$trits, "bool":$mirrored,
                        "int64_t":$digits, "int64_t":$radix);
  let assemblyFormat = [{
    `<` $k `,` `group` `=` $group `,` `unit` `=` $unit `,` `trits` `=` $trits `,` `mirrored` `=` $mirrored `,`
    `digits` `=` $digits `,` `radix` `=` $radix `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Distinct patterns, 2^unit or 3^unit; half of them, rounded up, when mirrored.
    int64_t getEntries() const;
    /// Bytes between tables: entries rounded up to a power of two.
    int64_t getEntryBytes() const;
    /// Whether entries are still unquantized sums.
    bool isExact() const { return getDigits() == 0; }
  }];
}

//===----------------------------------------------------------------------===//
// Tensor level
//===----------------------------------------------------------------------===//

class Lut_Op<string mnemonic, list<Trait> traits = []> : Op<Lut_Dialect, mnemonic, traits>;

def Lut_X : 2DTensorOf<[F32]>;

def Lut_MpGemmOp : Lut_Op<"mpgemm", [Pure]> {
  let summary = "Y[m,n] = X[m,k] * W[n,k]^T with low-bit W";
  let description = [{
    ```mlir
    %y = lut.mpgemm %x, %w numerics a8
       : tensor<?x2560xf32>, !lut.weights<640 x 2560, #lut.format<w158>> -> tensor<?x640xf32>
    ```
    `strategy`, where given, is the user's and not reconsidered.
  }];
  let arguments = (ins Lut_X:$x, Lut_WeightsType:$w, Lut_NumericsAttr:$numerics,
                       OptionalAttr<Lut_StrategyAttr>:$strategy);
  let results = (outs Lut_X:$y);
  let assemblyFormat = [{
    $x `,` $w `numerics` $numerics (`strategy` $strategy^)? attr-dict `:` type($x) `,` type($w) `->` type($y)
  }];
  let hasVerifier = 1;
}

// Ops between products. Their float arithmetic (order of sums, exp, rounding) is defined once, in
// test/reference/elementwise.h, and does not depend on the target.

def Lut_Vector : 1DTensorOf<[F32]>;

// Traits by which passes know them (Lut.h).
class Lut_Trait<string name> : NativeOpTrait<name> { let cppNamespace = "::lut"; }
def Lut_ComputesRows : Lut_Trait<"ComputesRows">;
def Lut_FollowsProduct : Lut_Trait<"FollowsProduct">;

class Lut_RowsOp<string mnemonic, list<Trait> traits = []>
    : Lut_Op<mnemonic, !listconcat([Pure, AllTypesMatch<["x", "y"]>, Lut_ComputesRows], traits)>;

def Lut_NormOp : Lut_RowsOp<"norm"> {
  let summary = "normalizes every token over its k elements: y = norm(x) * weight (+ bias)";
  let arguments = (ins Lut_NormKindAttr:$kind, Lut_X:$x, Lut_Vector:$weight, Optional<Lut_Vector>:$bias,
                       F32Attr:$epsilon);
  let results = (outs Lut_X:$y);
  let assemblyFormat = [{
    $kind $x `,` $weight (`,` $bias^)? `epsilon` $epsilon attr-dict `:` type($x) `,` type($weight)
    (`,` type($bias)^)?
  }];
  let hasVerifier = 1;
}

def Lut_ActivateOp : Lut_RowsOp<"activate"> {
  let summary = "y = activation(x), or activation(x) * factor: the gate of a feed-forward layer";
  let arguments = (ins Lut_ActivationAttr:$activation, Lut_X:$x, Optional<Lut_X>:$factor);
  let results = (outs Lut_X:$y);
  let assemblyFormat = "$activation $x (`,` $factor^)? attr-dict `:` type($x) (`,` type($factor)^)?";
}

def Lut_RotateOp : Lut_RowsOp<"rotate"> {
  let summary = "multiplies every `block` elements of a token by the Hadamard matrix of that size over sqrt(block)";
  let description = [{ Rotation-quantized models (QuaRot, SpinQuant) need it before down_proj and o_proj. }];
  let arguments = (ins Lut_X:$x, I64Attr:$block);
  let results = (outs Lut_X:$y);
  let assemblyFormat = "$x `block` $block attr-dict `:` type($x)";
  let hasVerifier = 1;
}

def Lut_PermuteOp : Lut_Op<"permute", [Pure, AllTypesMatch<["x", "y"]>]> {
  let summary = "y[i] = x[columns[i]]: activations in the order of the columns of permuted weights";
  let description = [{ The order lies in the packed weights. GPTQ with desc_act sorts columns by group. }];
  let arguments = (ins Lut_X:$x, Lut_WeightsType:$w);
  let results = (outs Lut_X:$y);
  let assemblyFormat = "$x `,` $w attr-dict `:` type($x) `,` type($w)";
  let hasVerifier = 1;
}

class Lut_BinaryOp<string mnemonic> : Lut_RowsOp<mnemonic, [Lut_FollowsProduct]> {
  let arguments = (ins Lut_X:$x, AnyTypeOf<[Lut_X, Lut_Vector]>:$other);
  let results = (outs Lut_X:$y);
  let assemblyFormat = "$x `,` $other attr-dict `:` type($x) `,` type($other)";
}

def Lut_AddOp : Lut_BinaryOp<"add"> {
  let summary = "y = x + other: a residual with a row for every token, or a bias, one vector or number for all";
}

def Lut_ScaleOp : Lut_BinaryOp<"scale"> {
  let summary = "y = x * other, element by element: a vector is for all tokens, a vector of one for all elements";
}

def Lut_ConvertOp : Lut_Op<"convert", [Pure]> {
  let summary = "results in f16, bf16 or i8: rounded to nearest even; f16 overflows to infinity, i8 is clamped to -127 .. 127";
  let description = [{ NaN becomes a NaN, in i8 0. A scale before it makes i8 a quantization. }];
  let arguments = (ins Lut_X:$x);
  let results = (outs 2DTensorOf<[F16, BF16, I8]>:$y);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($y)";
  let hasVerifier = 1;
}

def Lut_Routes : 2DTensorOf<[I32]>;

def Lut_RouteOp : Lut_Op<"route", [Pure, AllTypesMatch<["x", "y"]>]> {
  let summary = "the rows of x for every (token, expert) pair, by ascending expert, then token, then place";
  let description = [{
    `experts` is [tokens][top]: the experts of each token, in any order and number. Products of what is routed take the
    weights of the pair's expert.
  }];
  let arguments = (ins AnyTypeOf<[Lut_X, Lut_ActivationsType, Lut_TablesType]>:$x, Lut_Routes:$experts);
  let results = (outs AnyTypeOf<[Lut_X, Lut_ActivationsType, Lut_TablesType]>:$y);
  let assemblyFormat = "$x `,` $experts attr-dict `:` type($x) `,` type($experts)";
}

def Lut_CombineOp : Lut_Op<"combine", [Pure, AllTypesMatch<["x", "y"]>]> {
  let summary = "y[t] = sum over j of gates[t][j] * x[the pair (t, j)], j ascending, + residual[t]";
  let arguments = (ins Lut_X:$x, Lut_Routes:$experts, Lut_X:$gates, Optional<Lut_X>:$residual);
  let results = (outs Lut_X:$y);
  let assemblyFormat = [{
    $x `,` $experts `,` $gates (`residual` $residual^)? attr-dict `:` type($x) `,` type($experts) `,` type($gates)
    (`,` type($residual)^)?
  }];
  let hasVerifier = 1;
}

def Lut_YieldOp : Lut_Op<"yield", [Pure, Terminator, ReturnLike, HasParent<"StageOp">]> {
  let summary = "the result of a stage";
  let arguments = (ins AnyType:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

def Lut_StageOp : Lut_Op<"stage", [Pure, IsolatedFromAbove, SingleBlock]> {
  let summary = "what one function does: prepare activations, or multiply them";
  let description = [{
    A stage that yields activations or tables runs what precedes them token by token; one that yields a tensor is a
    product with what follows it, tile by tile. Only results of stages are kept in memory.
  }];
  let arguments = (ins Variadic<AnyType>:$inputs);
  let results = (outs AnyType:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "`(` $inputs `)` attr-dict `:` functional-type($inputs, $result) $body";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Whether the stage prepares activations; else it is a product.
    bool prepares() { return !::llvm::isa<::mlir::TensorType>(getResult().getType()); }
  }];
}

def Lut_QuantizeActivationsOp : Lut_Op<"quantize_activations", [Pure]> {
  let summary = "int8 activations with one scale per group: q = rne(x * 127 / max|x|)";
  let arguments = (ins Lut_X:$x);
  let results = (outs Lut_ActivationsType:$activations);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($activations)";
  let hasVerifier = 1;
}

def Lut_PrecomputeOp : Lut_Op<"precompute", [Pure]> {
  let summary = "builds the tables of all partial sums of every unit of activations";
  let description = [{ From f32 activations (class t8) or int8 ones (class a8). }];
  let arguments = (ins AnyTypeOf<[Lut_X, Lut_ActivationsType]>:$source);
  let results = (outs Lut_TablesType:$tables);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($tables)";
  let hasVerifier = 1;
}

def Lut_ReinterpretOp : Lut_Op<"reinterpret", [Pure]> {
  let summary = "reads weights in another encoding of the same values";
  let description = [{
    codes -> planes: q' = 2q - (2^b - 1), scale' = scale / 2, zero' = 2 zero + 1 - 2^b (LUT Tensor Core eq. 1-3);
    codes -> trits: q - 1. Costs nothing at run time: planes are the bits of a code, and the packer writes trits.
  }];
  let arguments = (ins Lut_WeightsType:$w);
  let results = (outs Lut_WeightsType:$result);
  let assemblyFormat = "$w attr-dict `:` type($w) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

class Lut_GemmOp<string mnemonic, Type left> : Lut_Op<mnemonic, [Pure]> {
  let arguments = (ins left:$left, Lut_WeightsType:$w, OptionalAttr<Lut_StrategyAttr>:$strategy,
                       OptionalAttr<Lut_ScheduleAttr>:$schedule);
  let results = (outs Lut_X:$y);
  let assemblyFormat = [{
    $left `,` $w (`strategy` $strategy^)? (`schedule` $schedule^)? attr-dict `:` type($left) `,` type($w) `->` type($y)
  }];
  let hasVerifier = 1;
}

def Lut_LookupGemmOp : Lut_GemmOp<"lookup_gemm", Lut_TablesType> {
  let summary = "the product by activation-side tables: weight bits index sums of activations";
}

def Lut_DotGemmOp : Lut_GemmOp<"dot_gemm", Lut_ActivationsType> {
  let summary = "the product by weight-side tables: codes become integers and feed a dot product";
}

//===----------------------------------------------------------------------===//
// Vector level
//===----------------------------------------------------------------------===//

def Lut_LookupOp : Lut_Op<"lookup", [Pure, AllTypesMatch<["index", "result"]>]> {
  let summary = "result[b] = table[E * (b mod S) + (index[b] mod E)], S tables of E entries side by side";
  let description = [{
    ```mlir
    %v = lut.lookup %table[%index] entries 16 : vector<64xi8>, vector<64xi8>
    ```
    Byte b uses table b mod S, S = size of %table / entries. Index bits above the entries are ignored.
  }];
  let arguments = (ins VectorOfRankAndType<[1], [I8]>:$table, VectorOfRankAndType<[1], [I8]>:$index, I64Attr:$entries);
  let results = (outs VectorOfRankAndType<[1], [I8]>:$result);
  let assemblyFormat = "$table `[` $index `]` `entries` $entries attr-dict `:` type($table) `,` type($index)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Lut_DotOp : Lut_Op<"dot", [Pure, AllTypesMatch<["acc", "result"]>, AllTypesMatch<["codes", "values"]>]> {
  let summary = "result[i] = acc[i] + sum over the bytes j of lane i of codes[j] * sext(values[j]), codes unsigned";
  let description = [{
    Four bytes to a lane of 32 bits, exactly; or two to one of 16 bits, modulo 2^16, for targets with sums of pairs, where codes may
    be signed. Codes are at most `max` large, with two to a lane at most 128: no pair of products saturates.
  }];
  let arguments = (ins VectorOfRankAndType<[1], [I16, I32]>:$acc, VectorOfRankAndType<[1], [I8]>:$codes,
                       VectorOfRankAndType<[1], [I8]>:$values, I64Attr:$max, UnitAttr:$isSigned);
  let results = (outs VectorOfRankAndType<[1], [I16, I32]>:$result);
  let assemblyFormat = "$acc `,` (`signed` $isSigned^)? $codes `,` $values `max` $max attr-dict `:` type($acc) `,` type($codes)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Lut_AddPairsOp : Lut_Op<"add_pairs", [Pure, AllTypesMatch<["acc", "result"]>, AllTypesMatch<["words", "factors"]>]> {
  let summary = "result[i] = acc[i] + words[2i] * factors[2i] + words[2i+1] * factors[2i+1], signed";
  let arguments = (ins VectorOfRankAndType<[1], [I32]>:$acc, VectorOfRankAndType<[1], [I16]>:$words,
                       VectorOfRankAndType<[1], [I16]>:$factors);
  let results = (outs VectorOfRankAndType<[1], [I32]>:$result);
  let assemblyFormat = "$acc `,` $words `,` $factors attr-dict `:` type($acc) `,` type($words)";
  let hasVerifier = 1;
}

def Lut_AccumulateOp : Lut_Op<"accumulate", [Pure, AllTypesMatch<["even", "odd", "newEven", "newOdd"]>]> {
  let summary = "adds unsigned bytes to 16-bit sums: even += v, odd += v >> 8 on 16-bit lanes";
  let description = [{
    After any number of steps with sums below 2^16: the sum of the odd bytes of a lane is `odd`, and that of the even
    bytes is `even` - (`odd` << 8) modulo 2^16. One add, one shift, one add per vector of bytes.
  }];
  let arguments = (ins VectorOfRankAndType<[1], [I8]>:$value, VectorOfRankAndType<[1], [I16]>:$even,
                       VectorOfRankAndType<[1], [I16]>:$odd);
  let results = (outs VectorOfRankAndType<[1], [I16]>:$newEven, VectorOfRankAndType<[1], [I16]>:$newOdd);
  let assemblyFormat = "$value `,` $even `,` $odd attr-dict `:` type($value) `,` type($even)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

#endif

// The lmma dialect: programs of the LUT-instruction machine as text. One op is one instruction; runtime/lmma/lmma.h
// defines what it does, and its shapes, types and limits. Operands are registers r0, r1, ... of the warp (128 bytes),
// scalars s0 .. s31 (s31 is 0) and buffers b0, b1, ...
#ifndef LUT_DIALECTS_LMMA_TD
#define LUT_DIALECTS_LMMA_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/SymbolInterfaces.td"

def Lmma_Dialect : Dialect {
  let name = "lmma";
  let cppNamespace = "::lut::lmma";
  let summary = "the LUT-instruction machine";
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
    /// `lmma.m2n64k4.i16i2i32i32` is a multiply.
    std::optional<ParseOpHook> getParseOperationHook(::llvm::StringRef name) const override;
  }];
}

// As lmma_type in runtime/lmma/lmma.h.
def Lmma_Element : I32EnumAttr<"Element", "the type of a fragment's elements", [
  I32EnumAttrCase<"none", 0>, I32EnumAttrCase<"i1", 1>, I32EnumAttrCase<"i2", 2>, I32EnumAttrCase<"i3", 3>,
  I32EnumAttrCase<"i4", 4>, I32EnumAttrCase<"t3", 5>, I32EnumAttrCase<"u8", 6>, I32EnumAttrCase<"i8", 7>,
  I32EnumAttrCase<"i16", 8>, I32EnumAttrCase<"i32", 9>, I32EnumAttrCase<"f8", 10>, I32EnumAttrCase<"f16", 11>,
  I32EnumAttrCase<"f32", 12>, I32EnumAttrCase<"bf16", 13>, I32EnumAttrCase<"i5", 14>, I32EnumAttrCase<"i6", 15>,
  I32EnumAttrCase<"e8m0", 16>]> {
  let cppNamespace = "::lut::lmma";
  let genSpecializedAttr = 0;
}
def Lmma_ElementAttr : EnumAttr<Lmma_Dialect, Lmma_Element, "element">;

// As lmma_spread in runtime/lmma/lmma.h.
def Lmma_Spread : I32EnumAttr<"Spread", "how a fragment spreads over [M][N]", [
  I32EnumAttrCase<"full", 0>,   // [M][N]
  I32EnumAttrCase<"vector", 1>, // [N], for all tokens
  I32EnumAttrCase<"one", 2>     // [1]
]> {
  let cppNamespace = "::lut::lmma";
  let genSpecializedAttr = 0;
}
def Lmma_SpreadAttr : EnumAttr<Lmma_Dialect, Lmma_Spread, "spread">;

def Lmma_BufferAttr : AttrDef<Lmma_Dialect, "Buffer"> {
  let summary = "which of a stage's operands a buffer is: rows for tokens, or one row for all";
  let mnemonic = "buffer";
  let parameters = (ins "int64_t":$slot, "int64_t":$row_bytes, "int64_t":$element_bytes, "bool":$per_token,
                        "bool":$writable);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Lmma_MachineAttr : AttrDef<Lmma_Dialect, "Machine"> {
  let summary = "a described machine, as far as the time of its programs depends on it";
  let description = [{
    Every fact of `eachFact` (Machine.h) under its name: f64, i64 or a string. Part of `#lut.target`.
  }];
  let mnemonic = "machine";
  let parameters = (ins "::mlir::DictionaryAttr":$facts);
  let assemblyFormat = "`<` $facts `>`";
  let genVerifyDecl = 1;
}

class Lmma_Op<string mnemonic, list<Trait> traits = []> : Op<Lmma_Dialect, mnemonic, traits>;

def Lmma_ProgramOp : Lmma_Op<"program", [Symbol, IsolatedFromAbove, SingleBlock, NoTerminator]> {
  let summary = "what every block of a grid runs";
  let description = [{
    ```mlir
    lmma.program @store_zeros registers 4 scratchpad 0 warps 1 buffers 1 tile 2 x 64 {
      lmma.clear r0, 4
      lmma.store b0[s1, 0], r0, 2 x 256
      lmma.exit
    }
    ```
    Registers are of each warp, bytes of scratchpad of a block, the tile is tokens x output rows of a block.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I32Attr:$registers, I32Attr:$scratchpad, I32Attr:$warps,
                       I32Attr:$buffers, I32Attr:$tile_m, I32Attr:$tile_n);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `registers` $registers `scratchpad` $scratchpad `warps` $warps `buffers` $buffers
    `tile` $tile_m `x` $tile_n $body attr-dict
  }];
}

def Lmma_ExitOp : Lmma_Op<"exit"> {
  let summary = "the block ends";
  let assemblyFormat = "attr-dict";
}

def Lmma_BarrierOp : Lmma_Op<"barrier"> {
  let summary = "waits for all warps of the block";
  let assemblyFormat = "attr-dict";
}

def Lmma_LoopOp : Lmma_Op<"loop", [SingleBlock, NoTerminator]> {
  let summary = "counter = 0, 1, ... below the sum of a scalar and a number";
  let arguments = (ins I32Attr:$counter, I32Attr:$count_scalar, I32Attr:$count);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    custom<Scalar>($counter) `below` custom<Sum>($count_scalar, $count) $body attr-dict
  }];
}

def Lmma_AffineOp : Lmma_Op<"affine"> {
  let summary = "result = a * factor + b + addend, modulo 2^64";
  let arguments = (ins I32Attr:$result, I32Attr:$a, I32Attr:$factor, I32Attr:$b, I32Attr:$addend);
  let assemblyFormat = [{
    custom<Scalar>($result) `=` custom<Scalar>($a) `*` $factor `+` custom<Sum>($b, $addend) attr-dict
  }];
}

// A block of `rows` x `bytes` of a buffer, from a row and a byte of it on.
class Lmma_TileArguments<dag before> {
  dag ret = !con(before, (ins I32Attr:$buffer, I32Attr:$row_scalar, I32Attr:$row, I32Attr:$byte_scalar,
                              I32Attr:$byte, I32Attr:$rows, I32Attr:$bytes));
}

def Lmma_LoadOp : Lmma_Op<"load"> {
  let summary = "registers = rows of a buffer; what lies past its edges reads as 0";
  let arguments = Lmma_TileArguments<(ins I32Attr:$result)>.ret;
  let assemblyFormat = [{
    custom<Register>($result) `,` custom<Place>($buffer, $row_scalar, $row, $byte_scalar, $byte) `,`
    $rows `x` $bytes attr-dict
  }];
}

def Lmma_StoreOp : Lmma_Op<"store"> {
  let summary = "rows of a buffer = registers; what lies past its edges is not written";
  let arguments = Lmma_TileArguments<(ins I32Attr:$source)>.ret;
  let assemblyFormat = [{
    custom<Place>($buffer, $row_scalar, $row, $byte_scalar, $byte) `,` custom<Register>($source) `,`
    $rows `x` $bytes attr-dict
  }];
}

def Lmma_FetchOp : Lmma_Op<"fetch"> {
  let summary = "scratchpad = rows of a buffer";
  let arguments = Lmma_TileArguments<(ins I32Attr:$address)>.ret;
  let assemblyFormat = [{
    ` ` `[` custom<Scalar>($address) `]` `,` custom<Place>($buffer, $row_scalar, $row, $byte_scalar, $byte) `,`
    $rows `x` $bytes attr-dict
  }];
}

def Lmma_ReadOp : Lmma_Op<"read"> {
  let summary = "registers = bytes of the scratchpad";
  let arguments = (ins I32Attr:$result, I32Attr:$address_scalar, I32Attr:$address, I32Attr:$bytes);
  let assemblyFormat = [{
    custom<Register>($result) `,` `[` custom<Sum>($address_scalar, $address) `]` `,` $bytes attr-dict
  }];
}

def Lmma_WriteOp : Lmma_Op<"write"> {
  let summary = "bytes of the scratchpad = registers";
  let arguments = (ins I32Attr:$source, I32Attr:$address_scalar, I32Attr:$address, I32Attr:$bytes);
  let assemblyFormat = [{
    ` ` `[` custom<Sum>($address_scalar, $address) `]` `,` custom<Register>($source) `,` $bytes attr-dict
  }];
}

def Lmma_ClearOp : Lmma_Op<"clear"> {
  let summary = "registers = 0";
  let arguments = (ins I32Attr:$result, I32Attr:$count);
  let assemblyFormat = "custom<Register>($result) `,` $count attr-dict";
}

def Lmma_TableOp : Lmma_Op<"table"> {
  let summary = "tables of partial sums of activations [M][K], for units of 4 k of +-1, or of 3 k of trits";
  let description = [{ `lmma.table r4, r0, 8 x 32 i8 to i16`, or with `trits` at the end. }];
  let arguments = (ins I32Attr:$result, I32Attr:$activations, I32Attr:$m, I32Attr:$k, Lmma_ElementAttr:$from,
                       Lmma_ElementAttr:$to, UnitAttr:$trits);
  let assemblyFormat = [{
    custom<Register>($result) `,` custom<Register>($activations) `,` $m `x` $k custom<Element>($from) `to` custom<Element>($to)
    (`trits` $trits^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Lmma_MultiplyOp : Lmma_Op<"multiply"> {
  let summary = "O[M,N] = Acc[M,N] + tables of A[M,K] looked up by the weights W[N,K]";
  let description = [{
    Written as in section 3.3.1 of the paper, with shape and types in the name, then result, tables, weights, accumulator:
    `lmma.m2n64k4.i16i2i32i32 r8, r4, r6, r8`. A is the type of the tables' entries.
  }];
  let arguments = (ins I32Attr:$result, I32Attr:$tables, I32Attr:$weights, I32Attr:$accumulator,
                       I32Attr:$m, I32Attr:$n, I32Attr:$k,
                       Lmma_ElementAttr:$a, Lmma_ElementAttr:$w, Lmma_ElementAttr:$acc, Lmma_ElementAttr:$out);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Shape and types stand in the name.
    static ::mlir::OperationName::PrintAssemblyFn getPrintAssemblyFn();
  }];
}

def Lmma_CorrectOp : Lmma_Op<"correct"> {
  let summary = "sums of +-1 planes become sums of codes less their zero points: (P - (2z + 1 - 2^bits) * S) / 2";
  let description = [{
    `lmma.correct r8, r1, zero 2, 8 x 64 bits 2` for one zero point, `zeros r3 u8` for one for every output row; with
    `doubled` at the end not halved.
  }];
  let arguments = (ins I32Attr:$result, I32Attr:$sums, I32Attr:$zero, Lmma_ElementAttr:$zero_type, I32Attr:$m,
                       I32Attr:$n, I32Attr:$bits, UnitAttr:$doubled);
  let assemblyFormat = [{
    custom<Register>($result) `,` custom<Register>($sums) `,` custom<Zero>($zero, $zero_type) `,`
    $m `x` $n `bits` $bits (`doubled` $doubled^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Lmma_ScaleOp : Lmma_Op<"scale"> {
  let summary = "Y[M][N] += P[M][N] * (step[M] * scale[N])";
  let description = [{ `lmma.scale r20, r8 i32, r1 f32, r2 f16, 8 x 64`; without steps: `none` in place of `r1 f32`; with
    `halved` at the end of half the steps. }];
  let arguments = (ins I32Attr:$result, I32Attr:$sums, Lmma_ElementAttr:$sum_type, I32Attr:$steps,
                       Lmma_ElementAttr:$step_type, I32Attr:$scales, Lmma_ElementAttr:$scale_type, I32Attr:$m, I32Attr:$n,
                       UnitAttr:$halved);
  let assemblyFormat = [{
    custom<Register>($result) `,` custom<Register>($sums) custom<Element>($sum_type) `,` custom<Steps>($steps, $step_type) `,`
    custom<Register>($scales) custom<Element>($scale_type) `,` $m `x` $n (`halved` $halved^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Lmma_ShiftOp : Lmma_Op<"shift"> {
  let summary = "Y[M][N] += (S[M] * step[M]) * minimum[N]";
  let description = [{ `lmma.shift r20, r9, r1, r2 f16, 8 x 64`: sums of activations, steps, minimums. }];
  let arguments = (ins I32Attr:$result, I32Attr:$sums, I32Attr:$steps, I32Attr:$minimums, Lmma_ElementAttr:$minimum_type,
                       I32Attr:$m, I32Attr:$n);
  let assemblyFormat = [{
    custom<Register>($result) `,` custom<Register>($sums) `,` custom<Register>($steps) `,`
    custom<Register>($minimums) custom<Element>($minimum_type) `,` $m `x` $n attr-dict
  }];
  let hasVerifier = 1;
}

class Lmma_CombineOp<string mnemonic> : Lmma_Op<mnemonic> {
  let arguments = (ins I32Attr:$result, I32Attr:$other, Lmma_SpreadAttr:$spread, I32Attr:$m, I32Attr:$n);
  let assemblyFormat = "custom<Register>($result) `,` custom<Register>($other) custom<Spread>($spread) `,` $m `x` $n attr-dict";
  let hasVerifier = 1;
}

def Lmma_AddOp : Lmma_CombineOp<"add"> {
  let summary = "f32 Y[M][N] += other";
  let description = [{ `lmma.add r20, r4 vector, 8 x 64` }];
}

def Lmma_TimesOp : Lmma_CombineOp<"times"> {
  let summary = "f32 Y[M][N] *= other";
}

def Lmma_ConvertOp : Lmma_Op<"convert"> {
  let summary = "result[M][N] = f32 source, rounded to nearest even; f16 overflows to infinity, i8 is clamped to -127 .. 127";
  let description = [{ `lmma.convert r4 f16, r20, 8 x 64` }];
  let arguments = (ins I32Attr:$result, Lmma_ElementAttr:$to, I32Attr:$source, I32Attr:$m, I32Attr:$n);
  let assemblyFormat = [{
    custom<Register>($result) custom<Element>($to) `,` custom<Register>($source) `,` $m `x` $n attr-dict
  }];
  let hasVerifier = 1;
}

def Lmma_LaunchOp : Lmma_Op<"launch"> {
  let summary = "runs blocks [begin, end) of columns for m tokens, with the last program whose tile is full, or the first";
  let description = [{
    What a stage of a library does (runtime/lmma/stage.c): `stage` points to its operands. Programs are in ascending
    order of the tokens of their tiles. The result is a lutc_status.
  }];
  let arguments = (ins AnyType:$stage, I64:$m, I64:$begin, I64:$end, FlatSymbolRefArrayAttr:$programs,
                       TypedArrayAttrBase<Lmma_BufferAttr, "buffers">:$buffers);
  let results = (outs I32:$status);
  let assemblyFormat = [{
    $programs `(` $stage `,` $m `,` $begin `,` $end `)` `buffers` $buffers attr-dict `:` type($stage)
  }];
}

#endif

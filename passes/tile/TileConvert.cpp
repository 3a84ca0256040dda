// Results in other types, by integer operations that are the same on every target.
#include "passes/tile/TileEmitter.h"

using namespace mlir;
using namespace lut;

namespace {
struct Converter {
  Emitter &e;
  Value lanes; // f32
  VectorType floats = cast<VectorType>(lanes.getType());
  VectorType ints = VectorType::get(floats.getShape(), e.i32());
  Value bits = e.bitcast(lanes, ints);
  Value magnitude = e.bitAnd(bits, 0x7fffffff);

  Value below(Value a, int64_t limit) {
    return arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::slt, a, e.constant(ints, limit));
  }
  Value select(Value condition, Value a, Value c) {
    return arith::SelectOp::create(e.b, e.loc, condition, a, c);
  }
  /// Integers stay integers: a float type would call conversions that not every target has.
  Value narrow(Value words, Type type) {
    Type integers = VectorType::get(floats.getShape(), e.b.getIntegerType(type.getIntOrFloatBitWidth()));
    return arith::TruncIOp::create(e.b, e.loc, integers, words);
  }
  Value half();
  Value brain();
  Value byte();
};
} // namespace

/// Normal numbers: the exponent is rebiased and 13 bits are rounded off; subnormal ones: adding 1/2 aligns
/// them; from 65520 on infinity.
Value Converter::half() {
  Value odd = e.bitAnd(e.shiftRight(magnitude, 13), 1);
  Value normal = e.shiftRight(e.add(e.add(magnitude, ((15 - 127) * (int64_t(1) << 23)) + 0xfff), odd), 13);
  Value aligned = e.add(e.bitcast(magnitude, floats), e.real(floats, 0.5));
  Value subnormal = e.add(e.bitcast(aligned, ints), -int64_t(0x3f000000));
  Value special = select(below(magnitude, 0x7f800001), e.constant(ints, 0x7c00), e.constant(ints, 0x7e00));
  Value word = select(below(magnitude, 113 << 23), subnormal, normal);
  word = select(below(magnitude, 143 << 23), word, special);
  Value sign = e.bitAnd(e.shiftRight(bits, 16), 0x8000);
  return arith::OrIOp::create(e.b, e.loc, word, sign);
}

Value Converter::brain() {
  Value odd = e.bitAnd(e.shiftRight(bits, 16), 1);
  Value rounded = e.shiftRight(e.add(e.add(bits, 0x7fff), odd), 16);
  return select(below(magnitude, 0x7f800001), rounded, e.constant(ints, 0x7fc0));
}

Value Converter::byte() {
  Value v = e.bound(e.bound(lanes, 127, arith::CmpFPredicate::OGT), -127, arith::CmpFPredicate::OLT);
  return select(below(magnitude, 0x7f800001), e.round(v), e.constant(ints, 0));
}

Value lut::emitConversion(Emitter &e, Value lanes, Type type) {
  if (type.isF32())
    return lanes;
  Converter converter{e, lanes};
  return converter.narrow(type.isF16()    ? converter.half()
                          : type.isBF16() ? converter.brain()
                                          : converter.byte(),
                          type);
}

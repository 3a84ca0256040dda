// From the integer sums of a step to results: scales, zero points, minimums; of groups and of whole rows.
#include "passes/tile/TileProduct.h"
#include "passes/tile/TileSums.h"

#include <cmath>

using namespace mlir;
using namespace lut;

/// float(sum) * (activation scale * weight scale). Doubled sums: exact integers are halved, else the
/// activation scale is.
Value ComputeEmitter::scaled(Value sum, Value activationScale, Value weightScale) {
  if (g.doubled() && g.numerics == Numerics::a8)
    sum = e.shiftRightArithmetic(sum, 1);
  else if (g.doubled())
    activationScale = e.mul(activationScale, e.real(e.f32(), 0.5));
  return e.mul(e.toFloat(sum), e.mul(e.splat(activationScale, g.laneRows), weightScale));
}

Value ComputeEmitter::correctZero(Value sum, Value zeroPoints, Value groupSum) {
  Value factor = g.doubled() ? e.shiftLeft(groupSum, 1) : groupSum;
  return e.sub(sum, e.mul(zeroPoints, e.splat(factor, g.laneRows)));
}

/// A vector of scales or minimums, exactly, as lutc_widen_bits of runtime/scales.h. The packer refuses what
/// is not finite.
Value ComputeEmitter::widen(Value pointer) {
  const lutc_scale_type &type = rowOf(g.format.scaleType).bits;
  auto load = [&](Type element) { return e.load(e.vec(g.laneRows, element), pointer); };
  if (g.format.scaleType == ScaleType::f16)
    return arith::ExtFOp::create(e.b, e.loc, floats, load(e.b.getF16Type()));
  if (type.bits == 32)
    return load(e.f32());
  int64_t shift = 23 - type.fraction, magnitude = lutc_magnitude_mask(&type);
  bool movesSign = magnitude >> (type.bits - 1) == 0 && type.bits + shift != 32;
  Value narrow = load(e.b.getIntegerType(type.bits));
  Value wide = movesSign ? arith::ExtSIOp::create(e.b, e.loc, ints, narrow).getResult()
                         : arith::ExtUIOp::create(e.b, e.loc, ints, narrow).getResult();
  Value placed = e.shiftLeft(wide, shift);
  if (movesSign)
    placed = e.bitAnd(placed, int64_t(INT32_MIN) | magnitude << shift);
  if (type.fraction == 0) // 0 is a power of two, too
    placed = arith::MaxSIOp::create(e.b, e.loc, placed, e.constant(ints, 1 << 22));
  Value value = e.bitcast(placed, floats);
  return type.bias == 127 ? value : e.mul(value, e.real(floats, std::ldexp(1.0, 127 - int(type.bias))));
}

/// Of sum vector s.
Value ComputeEmitter::weightScale(Value scales, int64_t s) {
  int64_t bytes = g.format.scaleBytes();
  return perInteger(widen(e.at(partOf(scales, g.stepRows() * bytes), s * g.laneRows * bytes)));
}

/// A scale in units of the integers that codes stand for.
Value ComputeEmitter::perInteger(Value scale) {
  int64_t divisor = g.format.row->divisor;
  return divisor == 1 ? scale : e.mul(scale, e.real(floats, 1.0 / double(divisor)));
}

/// y += float(sum) * (activation scale * weight scale), + (float(sum of activations) * activation scale) *
/// minimum, for one group, whose scales lie at `scales`.
Values ComputeEmitter::group(const GroupCursor &at, Value scales, const TokenTile &tokens, Value index,
                             Values results) {
  Values sums = emitSums(e, g, at);
  int64_t count = at.prepared.size(), L = g.laneRows, minimumBytes = g.format.minimumBytes();
  Value added = e.at(scales, g.tileRows * g.format.scaleBytes()); // zero points or minimums
  for (int64_t s = 0; s < g.sumVectors(); ++s) {
    Value scale = weightScale(scales, s), zeroPoints, minimums;
    if (g.format.zeroPoints)
      zeroPoints = arith::ExtUIOp::create(e.b, e.loc, ints,
                                          e.load(e.vec(L, e.i8()), e.at(partOf(added, g.stepRows()), s * L)));
    if (g.format.minimums)
      minimums = widen(e.at(partOf(added, g.stepRows() * minimumBytes), s * L * minimumBytes));
    Values minimumSums;
    if (g.format.minimums && g.format.subgroup) // apart from the products, whose sums take the registers
      minimumSums = SumEmitter{e, g, at}.multipliedSums(s, /*minimums=*/true);
    for (int64_t t = 0; t < count; ++t) {
      Value sum = sums[s * count + t], &result = results[s * count + t];
      if (zeroPoints)
        sum = correctZero(sum, zeroPoints, at.groupSums[t]);
      Value activationScale = e.load(e.f32(), e.at(tokens.scales[t], e.mul(index, 4)), 4);
      result = e.add(result, scaled(sum, activationScale, scale));
      if (!minimums)
        continue;
      Value all = minimumSums.empty() ? e.splat(e.mul(e.toFloat(at.groupSums[t]), activationScale), L)
                                      : e.mul(e.toFloat(minimumSums[t]), e.splat(activationScale, L));
      result = e.add(result, e.mul(all, minimums));
    }
  }
  return results;
}

/// The multiples of a span at `stream`, or of the span `index` of what has been unpacked.
Value ComputeEmitter::multiplesAt(Value stream, Value index) {
  Value first = memory.multiples;
  if (g.unpacked)
    first = e.at(first, e.mul(index, g.spanMultiples()));
  else
    emitMultiples(e, g, stream, first);
  return partOf(first, g.stepRows());
}

/// The groups of span `index` at `stream`, whose scales follow its chunks; its codes and multiples may lie
/// elsewhere.
Values ComputeEmitter::span(Value stream, Value codes, Value multiples, const TokenTile &tokens, Value index,
                            Values results) {
  int64_t codeBytes = g.span / g.chunkK * g.chunkBytes;
  Value scales = e.at(stream, streamNumber(&lutc_shape::span_scales, codeBytes + g.spanMultipleBytes()));
  Value length = spanLength();
  int64_t groups = g.spanGroups();
  for (int64_t i = 0; i < groups; ++i) {
    Value group = e.add(e.mul(index, groups), i);
    GroupCursor at = cursor(codes, tokens, group, e.mul(index, length), length);
    at.firstQuad = g.chunkQuads() / groups * i;
    at.quads = g.chunkQuads() / groups;
    if (int64_t subgroup = g.format.subgroup) {
      at.multiples = multiples;
      Value first = e.mul(index, g.format.group / subgroup * g.subgroupSumBytes());
      for (Value sums : tokens.sums)
        at.subgroupSums.push_back(e.at(sums, first));
    }
    results = this->group(at, e.at(scales, i * g.tileRows * g.rowScaleBytes()), tokens, group, results);
  }
  return results;
}

/// The spans of a range of k.
Values ComputeEmitter::groupedSums(Value stream, const TokenTile &tokens, const KRange &k, Values results) {
  Value bytes = streamNumber(&lutc_shape::span_bytes, g.spanBytes);
  return e.loop(k.spans, results, [&](Value index, Values carried) {
    Value place = e.at(stream, e.mul(index, bytes));
    Value multiples = g.format.subgroup ? multiplesAt(place, index) : Value();
    return span(place, codesAt(place, index), multiples, tokens, e.add(k.firstSpan, index), carried);
  });
}

/// The tail's column at `offset`: 4 bytes for each padded row.
Value ComputeEmitter::tail(Value offset, Value step, int64_t sumVector, Type type) {
  Value column = e.at(call.pointer(LUTC_STAGE_WEIGHTS), offset);
  return e.load(type, e.at(e.at(column, e.mul(step, g.stepRows() * 4)), sumVector * g.vectorBytes), 4);
}

Values ComputeEmitter::wholeRow(Value step, const TokenTile &tokens, Values sums) {
  int64_t count = tokens.count();
  Value factor = this->factor();
  for (int64_t s = 0; s < g.sumVectors(); ++s) {
    Value weightScale = perInteger(tail(call.number(&lutc_shape::scale_offset), step, s, floats));
    for (int64_t t = 0; t < count; ++t) {
      Value &sum = sums[s * count + t];
      Value rowSum = e.load(e.i32(), tokens.sums[t], 4);
      if (g.layout == Layout::base3) // a mirrored lookup gives -T - 1 for a negative byte
        sum = e.add(sum, tail(call.number(&lutc_shape::negatives_offset), step, s, ints));
      if (factor)
        sum = e.add(sum, e.splat(e.mul(rowSum, factor), g.laneRows));
      if (g.format.zeroPoints)
        sum = correctZero(sum, tail(call.number(&lutc_shape::zero_offset), step, s, ints), rowSum);
      Value activationScale = e.load(e.f32(), tokens.scales[t], 4);
      sum = e.add(e.real(floats, 0.0), scaled(sum, activationScale, weightScale));
    }
  }
  return sums;
}

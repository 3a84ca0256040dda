// The parameters of #lut.schedule (see Lut.td), to make a schedule or one like another.
#ifndef LUT_PASSES_PLAN_SCHEDULE_H
#define LUT_PASSES_PLAN_SCHEDULE_H

#include "dialects/lut/Lut.h"

namespace lut {

struct ScheduleFields {
  Strategy strategy;
  Layout layout;
  int64_t rowVectors, tokens, tokenBlock, kBlock;
  int64_t run = 0, widen = 0, prefetch = 0;
  bool rowsInner = false;
  int64_t batchRowVectors = 0, unpackTokens = 0;

  static ScheduleFields of(ScheduleAttr s) {
    return {s.getStrategy(),        s.getLayout(),      s.getRowVectors(), s.getTokens(),   s.getTokenBlock(),
            s.getKBlock(),          s.getRun(),         s.getWiden(),      s.getPrefetch(), s.getRowsInner(),
            s.getBatchRowVectors(), s.getUnpackTokens()};
  }
  ScheduleAttr get(mlir::MLIRContext *context) const {
    return ScheduleAttr::get(context, strategy, layout, rowVectors, tokens, tokenBlock, kBlock, run, widen,
                             prefetch, rowsInner, batchRowVectors, unpackTokens);
  }
};

} // namespace lut

#endif

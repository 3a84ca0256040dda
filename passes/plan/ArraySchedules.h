// The schedules of products on a LUT-instruction machine.
#ifndef LUT_PASSES_PLAN_ARRAYSCHEDULES_H
#define LUT_PASSES_PLAN_ARRAYSCHEDULES_H

#include "passes/plan/CostModel.h"

namespace lut {

/// Of every program that the machine can run, by the time that the model of the machine gives it.
const ScheduleModel &arraySchedules();

} // namespace lut

#endif

#include "codegen/targets/lmma/Target.h"

using namespace lut;

TargetRow lut::targetFor(const lmma::Machine &machine) {
  TargetRow row = *findTarget("lmma");
  row.arrayM = machine.array.m;
  row.arrayN = machine.array.n;
  row.vectorBytes = machine.array.n / 2;
  row.arrayRegisters = machine.registersPerThread * machine.registerMultiple;
  row.streamBytesPer100Cycles =
      int64_t(100 * machine.memoryBytesPerCycle() / double(machine.cores * machine.slots));
  return row;
}

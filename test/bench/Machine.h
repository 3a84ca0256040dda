// Facts about this machine, and contenders that measure its limits.
#ifndef LUT_BENCH_MACHINE_H
#define LUT_BENCH_MACHINE_H

#include "Memory.h"
#include <cstddef>
#include <string>

namespace lut::bench {

using example::availableMemory, example::lastLevelCache, example::readLines;

std::string cpuName();
double hugePageFraction(); // of this process's resident memory

// Waits until threads that other contenders left spinning have gone to sleep, 100 ms at most.
void waitUntilQuiet();

} // namespace lut::bench

#endif

// What tests of generated libraries against the oracle have in common.
#ifndef LUT_TEST_END_TO_END_CHECKS_H
#define LUT_TEST_END_TO_END_CHECKS_H

#include "kernels.h"
#include "reference.h"
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace lut {

constexpr float canary = 12345678.0f; // what rows and gaps hold before a call

inline uint64_t baseSeed() {
  const char *seed = std::getenv("LUTC_SEED");
  return seed ? std::strtoull(seed, nullptr, 0) : 1;
}

// What is running, for the report of a failure and of a crash at a guard page.
inline std::string current;

inline void reportCrash(int signal) {
  const char lead[] = "crashed in: ";
  if (write(STDERR_FILENO, lead, sizeof lead - 1) < 0 ||
      write(STDERR_FILENO, current.data(), current.size()) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
    _exit(1);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

inline bool sameBits(float a, float b) {
  return reference::bitsOf(a) == reference::bitsOf(b) || (std::isnan(a) && std::isnan(b));
}

// Runs all tests; names the variants that this CPU cannot run.
inline int runOracleTests(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  std::signal(SIGSEGV, reportCrash);
  std::signal(SIGBUS, reportCrash);
  std::signal(SIGILL, reportCrash);
  for (size_t variant = 0; variant < library.variant_count; ++variant)
    if (lutc_can_use_variant(&library, library.variants[variant]) != LUTC_OK)
      std::printf("variant %s is not run: this CPU lacks its instructions\n", library.variants[variant]);
  return RUN_ALL_TESTS();
}

} // namespace lut

#endif

// Two gigabytes: what packing them takes of memory. Only run when LUTC_SLOW_TESTS is set (scripts/test
// --slow).
#include "files.h"
#include "process.h"
#include <cstdlib>

using namespace lut::test;

namespace {

TEST(Large, IsPackedInLessThanAGigabyteOfMemory) {
  if (!std::getenv("LUTC_SLOW_TESTS"))
    GTEST_SKIP() << "LUTC_SLOW_TESTS is not set";
  const Directory directory;
  const std::string checkpoint = directory.path / "large", output = directory.path / "large.lutc";
  ASSERT_EQ(run({PYTHON, DRAW_CHECKPOINT, "large", checkpoint, "1"}).exitCode, 0);
  const Outcome compiled =
      run({LUTC, "compile", checkpoint + "/config.json", "--name=large", "-o", checkpoint});
  ASSERT_EQ(compiled.exitCode, 0) << compiled.output;
  // On a terminal, where a bar shows how far it is.
  const char *terminal = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
  const Outcome packed = run({PYTHON, "-c", terminal, LUTC, "pack", checkpoint,
                              "--library=" + checkpoint + "/large.json", "-o", output});
  ASSERT_EQ(packed.exitCode, 0) << packed.output;
  EXPECT_NE(packed.output.find("packing [#"), std::string::npos) << packed.output;
  EXPECT_GT(std::filesystem::file_size(output), uint64_t(2) << 30);
  EXPECT_LT(packed.peakBytes, uint64_t(1) << 30);
  std::printf("peak resident memory of lutc pack: %llu MiB\n",
              static_cast<unsigned long long>(packed.peakBytes >> 20));
}

} // namespace

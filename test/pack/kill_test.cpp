// lutc pack that is killed at any time leaves the file that was there or the complete new one, and can be run
// again.
#include "files.h"
#include "process.h"
#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

using namespace lut::test;

namespace {

using Clock = std::chrono::steady_clock;

Bytes read(const std::filesystem::path &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Killed : testing::Test {
  std::vector<std::string> command() const {
    return {LUTC, "pack", DIRECTORY "/gptq", "--library=" DIRECTORY "/lib/gptq.json", "-o", output};
  }

  Directory directory;
  const std::filesystem::path output = directory.path / "model.lutc",
                              partial = directory.path / "model.lutc.partial";
};

TEST_F(Killed, LeavesTheOldFileOrTheNewOne) {
  const Clock::time_point start = Clock::now();
  ASSERT_EQ(run(command()).exitCode, 0);
  const auto duration = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count();
  const Bytes complete = read(output), old = {'o', 'l', 'd'};
  std::mt19937_64 random{1};
  int interrupted = 0;
  for (int i = 0; i < 20; ++i) {
    directory.write("model.lutc", old);
    Process process(command());
    std::this_thread::sleep_for(std::chrono::microseconds(random() % uint64_t(duration)));
    process.send(SIGKILL);
    process.wait();
    const Bytes left = read(output);
    ASSERT_TRUE(left == old || left == complete) << left.size() << " bytes";
    interrupted += left == old;
  }
  std::printf("%d of 20 runs left the old file\n", interrupted);
  EXPECT_GT(interrupted, 0);
  ASSERT_EQ(run(command()).exitCode, 0);
  EXPECT_TRUE(read(output) == complete);
  EXPECT_FALSE(std::filesystem::exists(partial));
}

TEST_F(Killed, CleansUpWhenAsked) {
  for (int i = 0; i < 10; ++i) {
    Process process(command());
    std::this_thread::sleep_for(std::chrono::milliseconds(10 * i));
    process.send(SIGTERM);
    process.wait();
    EXPECT_FALSE(std::filesystem::exists(partial));
  }
}

TEST_F(Killed, TakesThePlaceOfARunThatIsGone) {
  directory.write("model.lutc.partial", Bytes(1 << 20, 0xee)); // longer than what is written
  ASSERT_EQ(run(command()).exitCode, 0);
  const Bytes fresh = read(output);
  std::filesystem::remove(output);
  ASSERT_EQ(run(command()).exitCode, 0);
  EXPECT_TRUE(read(output) == fresh);
  EXPECT_FALSE(std::filesystem::exists(partial));
}

// One run at a time writes a file; the others say so or come after it.
TEST_F(Killed, RunsDoNotMix) {
  std::vector<std::unique_ptr<Process>> processes;
  for (int i = 0; i < 6; ++i)
    processes.push_back(std::make_unique<Process>(command()));
  int finished = 0;
  for (const auto &process : processes) {
    const Outcome outcome = process->wait();
    finished += outcome.exitCode == 0;
    EXPECT_TRUE(outcome.exitCode == 0 || outcome.output.find("another lutc is writing") != std::string::npos)
        << outcome.output;
  }
  EXPECT_GT(finished, 0);
  const Bytes written = read(output);
  ASSERT_EQ(run(command()).exitCode, 0);
  EXPECT_TRUE(read(output) == written);
  EXPECT_FALSE(std::filesystem::exists(partial));
}

// Codes of weights that ternary formats lack are found when the file is half written.
TEST_F(Killed, KeepsTheOldFileWhenWeightsAreBad) {
  const std::filesystem::path copy = directory.path / "bitnet";
  std::filesystem::copy(DIRECTORY "/bitnet", copy);
  const std::string shard = copy / "model-00001-of-00001.safetensors";
  Bytes bytes = read(shard);
  const std::string text(bytes.begin(), bytes.end());
  const size_t tensor = text.find("\"model.layers.1.mlp.up_proj.weight\""),
               offsets = text.find("offsets\": [", tensor);
  ASSERT_NE(tensor, std::string::npos);
  uint64_t header;
  std::memcpy(&header, bytes.data(), sizeof header);
  bytes[8 + header + std::stoull(text.substr(offsets + 11)) + 77] = 0xff;
  directory.write("bitnet/model-00001-of-00001.safetensors", bytes);
  const Bytes old = {'o', 'l', 'd'};
  directory.write("model.lutc", old);
  const Outcome outcome = run({LUTC, "pack", copy, "--library=" DIRECTORY "/lib/bitnet.json", "-o", output});
  EXPECT_EQ(outcome.exitCode, 1);
  EXPECT_NE(outcome.output.find("'model.layers.1.mlp.up_proj'"), std::string::npos) << outcome.output;
  EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1) << outcome.output;
  EXPECT_TRUE(read(output) == old);
  EXPECT_FALSE(std::filesystem::exists(partial));
}

TEST_F(Killed, LeavesNothingBehindAnError) {
  std::vector<std::string> words = command();
  words.back() = (directory.path / "none" / "model.lutc").string();
  EXPECT_EQ(run(words).exitCode, 1);
  std::filesystem::create_directory(output);
  const Outcome outcome = run(command());
  EXPECT_EQ(outcome.exitCode, 1);
  EXPECT_NE(outcome.output.find("Is a directory"), std::string::npos) << outcome.output;
  EXPECT_FALSE(std::filesystem::exists(partial));
}

} // namespace

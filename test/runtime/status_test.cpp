// Every status of every entry point.
#include "toy.h"
#include <cctype>
#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <set>
#include <string>

using namespace lut;

namespace {

constexpr size_t most = std::numeric_limits<size_t>::max();

// A call that succeeds; each test spoils one thing.
struct Status : testing::Test {
  Status() { EXPECT_EQ(pack(), LUTC_OK); }

  lutc_status pack() { return lutc_pack(&toy.kernel, &weights, memory, packedBytes); }
  lutc_status check() { return lutc_check_packed(&toy.kernel, packed, packedBytes); }
  lutc_status run() {
    return lutc_run(&toy.kernel, m, x, ldx, packed, y, ldy, scratch, scratchBytes, parallel);
  }
  // A failed pack leaves nothing that a later call takes for weights.
  void expectPackFails(lutc_status status) {
    EXPECT_EQ(pack(), status) << lutc_status_string(status);
    packedBytes = toy::packedBytes;
    EXPECT_EQ(check(), LUTC_NOT_PACKED);
    EXPECT_EQ(run(), LUTC_NOT_PACKED);
  }

  toy::Library toy;
  std::vector<uint8_t> codes = std::vector<uint8_t>(toy::n * toy::k, 3);
  std::vector<uint16_t> scales = std::vector<uint16_t>(toy::n * 3, 0x3c00);
  std::vector<uint8_t> zeros = std::vector<uint8_t>(toy::n * 3, 1);
  lutc_weights weights = {codes.data(), 0, scales.data(), zeros.data(), nullptr, nullptr, nullptr, nullptr};
  alignas(64) uint8_t memory[toy::packedBytes] = {};
  alignas(64) uint8_t scratchMemory[2 * toy::preparedBytes] = {};
  float xs[3 * toy::k] = {}, ys[3 * toy::n] = {};

  size_t m = 2, ldx = toy::k, ldy = toy::n, packedBytes = sizeof memory, scratchBytes = sizeof scratchMemory;
  const float *x = xs;
  float *y = ys;
  const void *packed = memory;
  void *scratch = scratchMemory;
  const lutc_parallel *parallel = nullptr;
};

TEST_F(Status, SentencesAreLowerCaseAndDistinct) {
  std::set<std::string> sentences;
  for (int status = LUTC_OK; status <= LUTC_BAD_SHAPE; ++status) {
    const std::string sentence = lutc_status_string(lutc_status(status));
    EXPECT_TRUE(std::islower(sentence[0])) << sentence;
    sentences.insert(sentence);
  }
  EXPECT_EQ(sentences.size(), size_t(LUTC_BAD_SHAPE) + 1);
  EXPECT_STREQ(lutc_status_string(lutc_status(1000)), "unknown status");
  EXPECT_STREQ(lutc_status_string(lutc_status(-1)), "unknown status");
}

TEST_F(Status, RunNeedsEveryPointer) {
  EXPECT_EQ(run(), LUTC_OK);
  EXPECT_EQ(lutc_run(nullptr, m, x, ldx, packed, y, ldy, scratch, scratchBytes, nullptr), LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_run(&toy.kernel, m, nullptr, ldx, packed, y, ldy, scratch, scratchBytes, nullptr),
            LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_run(&toy.kernel, m, x, ldx, nullptr, y, ldy, scratch, scratchBytes, nullptr),
            LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_run(&toy.kernel, m, x, ldx, packed, nullptr, ldy, scratch, scratchBytes, nullptr),
            LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_run(&toy.kernel, m, x, ldx, packed, y, ldy, nullptr, scratchBytes, nullptr),
            LUTC_NULL_POINTER);
  const lutc_parallel empty = {nullptr, nullptr, 2};
  parallel = &empty;
  EXPECT_EQ(run(), LUTC_NULL_POINTER);
}

TEST_F(Status, RunWithoutTokensDoesNothing) {
  EXPECT_EQ(lutc_run(&toy.kernel, 0, nullptr, 0, nullptr, nullptr, 0, nullptr, 0, nullptr), LUTC_OK);
}

TEST_F(Status, RunNeedsAlignment) {
  packed = memory + 32;
  EXPECT_EQ(run(), LUTC_MISALIGNED);
  packed = memory;
  scratch = scratchMemory + 4;
  EXPECT_EQ(run(), LUTC_MISALIGNED);
  scratch = scratchMemory;
  x = reinterpret_cast<const float *>(reinterpret_cast<uintptr_t>(xs) + 1);
  EXPECT_EQ(run(), LUTC_MISALIGNED);
  x = xs;
  y = reinterpret_cast<float *>(reinterpret_cast<uintptr_t>(ys) + 2);
  EXPECT_EQ(run(), LUTC_MISALIGNED);
}

TEST_F(Status, RunNeedsStridesThatFit) {
  ldx = toy::k - 1;
  EXPECT_EQ(run(), LUTC_BAD_STRIDE);
  m = 1;
  EXPECT_EQ(run(), LUTC_BAD_STRIDE);
  ldx = most; // with one token the stride is never added
  EXPECT_EQ(run(), LUTC_OK);
  ldx = toy::k;
  ldy = toy::n - 1;
  EXPECT_EQ(run(), LUTC_BAD_STRIDE);
  ldy = toy::n;
  for (size_t tokens : {most, most / 4, most / (4 * toy::k), most / (8 * toy::k), most / (8 * toy::n) + 2}) {
    m = tokens;
    EXPECT_EQ(run(), LUTC_BAD_STRIDE) << tokens;
  }
  m = 2;
  for (size_t stride : {most, most / 2, most / 4, most / 8}) {
    ldx = stride;
    EXPECT_EQ(run(), LUTC_BAD_STRIDE) << stride;
  }
}

TEST_F(Status, RunNeedsScratch) {
  EXPECT_EQ(lutc_scratch_bytes(&toy.kernel, m), sizeof scratchMemory);
  --scratchBytes;
  EXPECT_EQ(run(), LUTC_BUFFER_TOO_SMALL);
  m = 1;
  EXPECT_EQ(run(), LUTC_OK);
}

TEST_F(Status, ScratchGrowsUpToTheTokenBlock) {
  const size_t perToken = toy::preparedBytes;
  EXPECT_EQ(lutc_scratch_bytes(&toy.kernel, 0), 0u);
  EXPECT_EQ(lutc_scratch_bytes(&toy.kernel, toy::tokenBlock), toy::tokenBlock * perToken);
  EXPECT_EQ(lutc_scratch_bytes(&toy.kernel, most), toy::tokenBlock * perToken);
  EXPECT_EQ(lutc_scratch_bytes(nullptr, 1), 0u);
  // Of a library: the most of any kernel or group.
  EXPECT_EQ(lutc_library_scratch_bytes(&toy.library, 2), 2 * perToken);
  const lutc_program large = {3, 1000, 24, 0, 0, nullptr, nullptr, nullptr};
  const lutc_program *const programs[] = {&large, &large, &large};
  const lutc_group group = {{"group", 0, nullptr}, &toy.library, programs};
  const lutc_group *const groups[] = {&group};
  toy.library.group_count = 1;
  toy.library.groups = groups;
  EXPECT_EQ(lutc_library_scratch_bytes(&toy.library, 2), 2024u);
  EXPECT_EQ(lutc_library_scratch_bytes(&toy.library, most), 3024u);
  EXPECT_EQ(lutc_library_scratch_bytes(nullptr, 1), 0u);
}

TEST_F(Status, HeaderNamesWhatIsWrong) {
  const auto expectBoth = [&](lutc_status status) {
    EXPECT_EQ(run(), status) << lutc_status_string(status);
    EXPECT_EQ(check(), status) << lutc_status_string(status);
  };
  memory[offsetof(lutc_packed_header, magic)] ^= 1;
  expectBoth(LUTC_NOT_PACKED);
  memory[offsetof(lutc_packed_header, magic)] ^= 1;
  memory[offsetof(lutc_packed_header, version)] = 1; // with 8 bytes of the format's name
  expectBoth(LUTC_WRONG_VERSION);
  memory[offsetof(lutc_packed_header, version)] = LUTC_PACKED_VERSION;
  ASSERT_EQ(lutc_pack(&toy.smallKernel, &weights, memory, packedBytes), LUTC_OK);
  expectBoth(LUTC_WRONG_KERNEL);
  toy.smallKernel.info.k = toy::k;
  toy.smallKernel.info.format = "w2g32";
  ASSERT_EQ(lutc_pack(&toy.smallKernel, &weights, memory, packedBytes), LUTC_OK);
  expectBoth(LUTC_WRONG_KERNEL);
  ASSERT_EQ(lutc_use_variant(&toy.library, "second"), LUTC_OK);
  ASSERT_EQ(pack(), LUTC_OK);
  EXPECT_EQ(run(), LUTC_OK);
  ASSERT_EQ(lutc_use_variant(&toy.library, nullptr), LUTC_OK);
  expectBoth(LUTC_WRONG_LAYOUT);
}

TEST_F(Status, EveryBitOfTheHeaderMatters) {
  for (size_t bit = 0; bit < 8 * sizeof(lutc_packed_header); ++bit) {
    memory[bit / 8] ^= 1 << bit % 8;
    EXPECT_NE(run(), LUTC_OK) << bit;
    memory[bit / 8] ^= 1 << bit % 8;
  }
  memory[offsetof(lutc_packed_header, layout_id)] ^= 1;
  EXPECT_EQ(run(), LUTC_CORRUPT);
}

TEST_F(Status, EveryByteOfThePayloadMatters) {
  EXPECT_EQ(check(), LUTC_OK);
  for (size_t i = sizeof(lutc_packed_header); i < packedBytes; ++i) {
    memory[i] ^= 0x80;
    EXPECT_EQ(check(), LUTC_CORRUPT) << i;
    memory[i] ^= 0x80;
  }
}

TEST_F(Status, CheckPackedArguments) {
  EXPECT_EQ(lutc_check_packed(nullptr, packed, packedBytes), LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_check_packed(&toy.kernel, nullptr, packedBytes), LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_check_packed(&toy.kernel, memory + 32, packedBytes), LUTC_MISALIGNED);
  EXPECT_EQ(lutc_check_packed(&toy.kernel, packed, packedBytes - 1), LUTC_BUFFER_TOO_SMALL);
  EXPECT_EQ(lutc_check_packed(&toy.kernel, packed, 63), LUTC_BUFFER_TOO_SMALL);
  EXPECT_EQ(lutc_check_packed(&toy.kernel, packed, 0), LUTC_BUFFER_TOO_SMALL);
}

TEST_F(Status, PackArguments) {
  EXPECT_EQ(lutc_pack(&toy.kernel, &weights, nullptr, packedBytes), LUTC_NULL_POINTER);
  EXPECT_EQ(check(), LUTC_OK);
  EXPECT_EQ(lutc_pack(nullptr, &weights, memory, packedBytes), LUTC_NULL_POINTER);
  EXPECT_EQ(check(), LUTC_NOT_PACKED);
  ASSERT_EQ(pack(), LUTC_OK);
  EXPECT_EQ(lutc_pack(&toy.kernel, nullptr, memory, packedBytes), LUTC_NULL_POINTER);
  EXPECT_EQ(check(), LUTC_NOT_PACKED);
  EXPECT_EQ(lutc_pack(&toy.kernel, &weights, memory + 4, packedBytes - 4), LUTC_MISALIGNED);
}

TEST_F(Status, PackNeedsEveryArray) {
  weights.codes = nullptr;
  expectPackFails(LUTC_NULL_POINTER);
  weights.codes = codes.data(), weights.scales = nullptr;
  expectPackFails(LUTC_NULL_POINTER);
  weights.scales = scales.data(), weights.zero_points = nullptr;
  expectPackFails(LUTC_NULL_POINTER);
}

TEST_F(Status, PackNeedsAStrideThatFits) {
  for (size_t stride : {size_t(1), toy::k - 1, most, most / toy::n, most / (2 * toy::n - 2) + 1}) {
    weights.codes_stride = stride;
    expectPackFails(LUTC_BAD_STRIDE);
  }
}

TEST_F(Status, PackNeedsRoom) {
  for (size_t bytes : {toy::packedBytes - 1, size_t(64), size_t(8)}) {
    packedBytes = bytes;
    expectPackFails(LUTC_BUFFER_TOO_SMALL);
  }
}

TEST_F(Status, PackRefusesEveryBadCode) {
  for (size_t i = 0; i < codes.size(); ++i)
    for (uint8_t bad : {4, 127, 128, 255}) {
      codes[i] = bad;
      EXPECT_EQ(pack(), LUTC_BAD_CODE) << i;
      codes[i] = 3;
    }
  codes[7] = 4;
  expectPackFails(LUTC_BAD_CODE);
}

TEST_F(Status, PackIgnoresRowGaps) {
  std::vector<uint8_t> strided(toy::n * (toy::k + 3), 0xff);
  for (size_t row = 0; row < toy::n; ++row)
    std::memset(strided.data() + row * (toy::k + 3), 3, toy::k);
  alignas(64) static uint8_t other[toy::packedBytes];
  weights.codes = strided.data(), weights.codes_stride = toy::k + 3;
  ASSERT_EQ(lutc_pack(&toy.kernel, &weights, other, sizeof other), LUTC_OK);
  EXPECT_EQ(std::memcmp(memory, other, sizeof other), 0);
}

TEST_F(Status, ChoosesTheBestVariantOfThisCpu) {
  ASSERT_NE(lutc_kernel_variant(&toy.kernel), nullptr);
  EXPECT_STREQ(lutc_kernel_variant(&toy.kernel)->variant, "first");
  EXPECT_EQ(lutc_use_variant(&toy.library, "second"), LUTC_OK);
  EXPECT_STREQ(lutc_kernel_variant(&toy.kernel)->variant, "second");
  EXPECT_EQ(lutc_use_variant(&toy.library, "future"), LUTC_UNSUPPORTED_CPU);
  EXPECT_EQ(lutc_use_variant(&toy.library, "none"), LUTC_UNKNOWN_VARIANT);
  EXPECT_STREQ(lutc_kernel_variant(&toy.kernel)->variant, "second");
  EXPECT_EQ(lutc_use_variant(&toy.library, nullptr), LUTC_OK);
  EXPECT_STREQ(lutc_kernel_variant(&toy.smallKernel)->variant, "first");
  EXPECT_EQ(lutc_use_variant(nullptr, "first"), LUTC_NULL_POINTER);
}

TEST_F(Status, TellsWhichVariantsRun) {
  EXPECT_EQ(lutc_can_use_variant(&toy.library, "first"), LUTC_OK);
  EXPECT_EQ(lutc_can_use_variant(&toy.library, "future"), LUTC_UNSUPPORTED_CPU);
  EXPECT_EQ(lutc_can_use_variant(&toy.library, "none"), LUTC_UNKNOWN_VARIANT);
  EXPECT_EQ(lutc_can_use_variant(&toy.library, nullptr), LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_can_use_variant(nullptr, "first"), LUTC_NULL_POINTER);
}

TEST_F(Status, SaysSoWhereNoVariantRuns) {
  toy::Library future(1u << 29);
  EXPECT_EQ(lutc_kernel_variant(&future.kernel), nullptr);
  EXPECT_EQ(lutc_packed_bytes(&future.kernel), 0u);
  EXPECT_EQ(lutc_scratch_bytes(&future.kernel, 1), 0u);
  EXPECT_EQ(lutc_library_scratch_bytes(&future.library, 1), 0u);
  EXPECT_EQ(lutc_use_variant(&future.library, nullptr), LUTC_UNSUPPORTED_CPU);
  EXPECT_EQ(lutc_check_packed(&future.kernel, packed, packedBytes), LUTC_UNSUPPORTED_CPU);
  EXPECT_EQ(lutc_run(&future.kernel, m, x, ldx, packed, y, ldy, scratch, scratchBytes, nullptr),
            LUTC_UNSUPPORTED_CPU);
  EXPECT_EQ(lutc_pack(&future.kernel, &weights, memory, packedBytes), LUTC_UNSUPPORTED_CPU);
  EXPECT_EQ(check(), LUTC_NOT_PACKED);
}

TEST_F(Status, DescribesKernels) {
  EXPECT_STREQ(lutc_kernel_describe(&toy.kernel)->format, "w2g32z");
  EXPECT_EQ(lutc_kernel_describe(nullptr), nullptr);
  EXPECT_EQ(lutc_kernel_variant(nullptr), nullptr);
  EXPECT_EQ(lutc_packed_bytes(&toy.kernel), toy::packedBytes);
  EXPECT_EQ(lutc_packed_bytes(nullptr), 0u);
}

} // namespace

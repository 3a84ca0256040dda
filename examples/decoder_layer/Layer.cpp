#include "Layer.h"
#include <algorithm>
#include <cstring>
#include <new>
#include <sys/mman.h>

using namespace lut::example;

static size_t roundUp(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

Pages::Pages(size_t bytes) : memory(nullptr, &std::free) {
  const size_t hugePage = 2 << 20, size = roundUp(bytes, hugePage);
  memory.reset(static_cast<char *>(std::aligned_alloc(hugePage, size)));
  if (!memory)
    throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  madvise(memory.get(), size, MADV_HUGEPAGE); // a wish: without it everything works, more slowly
#endif
}

// A number of `type` with these bits, little-endian.
static void append(std::vector<uint8_t> &bytes, lutc_type type, uint32_t bits) {
  for (size_t i = 0; i < lutc_type_bytes(type); ++i)
    bytes.push_back(static_cast<uint8_t>(bits >> 8 * i));
}

Weights::Weights(const lutc_kernel_info &info, std::mt19937_64 &random) : codes(info.n * info.k) {
  uint64_t word = 0;
  for (size_t i = 0; i < codes.size(); ++i, word >>= 8) {
    if (i % 8 == 0)
      word = random();
    codes[i] = static_cast<uint8_t>((word & 255) * info.codes >> 8);
  }
  const size_t groups = info.n * ((info.k + info.group - 1) / info.group);
  const size_t subgroups = info.subgroup ? info.n * ((info.k + info.subgroup - 1) / info.subgroup) : 0;
  // Scales in [2^-7, 2^-6); smaller for 3 and 4 bits, so that weights are of one size. Multiples, of the
  // larger half of those that are positive, make such scales of smaller ones.
  const lutc_type type = info.scale_type;
  const int wider = (info.codes > 4) + (info.codes > 8);
  const int fractionBits = type == LUTC_F32       ? 23
                           : type == LUTC_BF16    ? 7
                           : type == LUTC_F16     ? 10
                           : type == LUTC_F8_E4M3 ? 3
                                                  : 0;
  const bool isSigned = !info.has_minimums || info.multiple_bits == 8;
  const int multipleBits = info.subgroup ? static_cast<int>(info.multiple_bits) - isSigned : 0;
  const int exponent = (type == LUTC_F16 ? 15 : type == LUTC_F8_E4M3 ? 10 : 127) - 7 - wider - multipleBits;
  const uint32_t sign = type == LUTC_F32 ? 0x80000000 : 0x8000;
  for (size_t i = 0; i < (info.scales_per_tensor ? 1 : groups); ++i) {
    const auto bits =
        static_cast<uint32_t>(exponent << fractionBits | (random() & ((1 << fractionBits) - 1)));
    append(scales, type, bits);
    if (info.has_zero_points)
      zeros.push_back(static_cast<uint8_t>(random() % info.codes));
    if (info.has_minimums) // the middle of the codes, negated
      append(minimums, type, (bits | sign) + (static_cast<uint32_t>(1 + wider) << fractionBits));
  }
  for (size_t i = 0; i < subgroups; ++i)
    multiples.push_back(
        static_cast<int8_t>((1 << (multipleBits - 1)) + random() % (1 << (multipleBits - 1))));
  for (size_t i = 0; info.has_columns && i < info.k; ++i)
    columns.push_back(static_cast<int32_t>(i));
  std::shuffle(columns.begin(), columns.end(), random);
}

lutc_weights Weights::view() const {
  return {codes.data(),    /*codes_stride=*/0, scales.data(),    zeros.data(),
          minimums.data(), multiples.data(),   multiples.data(), columns.data()};
}

Linear::Linear(const lutc_kernel *kernel, size_t tokens, std::mt19937_64 &random)
    : kernel(kernel), info(*lutc_kernel_describe(kernel)), weights(info, random), x(tokens * info.k),
      y(tokens * info.n) {
  std::normal_distribution<float> normal;
  for (float &value : x)
    value = normal(random);
}

size_t Linear::packedBytes() const { return roundUp(lutc_packed_bytes(kernel), LUTC_ALIGNMENT); }

Layer::Layer(const lutc_library &library, size_t tokens) {
  std::mt19937_64 random;
  for (size_t i = 0; i < library.kernel_count; ++i)
    linears.emplace_back(library.kernels[i], tokens, random);
  scratchBytes = lutc_library_scratch_bytes(&library, tokens);
  scratch = std::make_unique<Pages>(scratchBytes);
}

size_t Layer::packedBytes() const {
  size_t bytes = 0;
  for (const Linear &linear : linears)
    bytes += linear.packedBytes();
  return bytes;
}

lutc_status Layer::pack(char *packed) const {
  for (const Linear &linear : linears) {
    const lutc_weights weights = linear.weights.view();
    const lutc_status status = lutc_pack(linear.kernel, &weights, packed, linear.packedBytes());
    if (status != LUTC_OK)
      return status;
    packed += linear.packedBytes();
  }
  return LUTC_OK;
}

lutc_status Layer::run(Linear &linear, size_t m, const char *packed, const lutc_parallel *parallel) const {
  const lutc_kernel_info &info = linear.info;
  return lutc_run(linear.kernel, m, linear.x.data(), info.k, packed, linear.y.data(), info.n, scratch->data(),
                  scratchBytes, parallel);
}

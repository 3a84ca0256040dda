// Experts that share a tensor, against a slow reader written from the description of transformers 5 and of
// gpt-oss.
#include "layers.h"

using namespace lut;
using namespace lut::test;

namespace {

constexpr int64_t experts = 3, hidden = 64, ffn = 96;
const std::string parent = "model.layers.2.mlp.experts";

// Multiples of 1/2 that w8g32 holds exactly: the first of 32 along k is -64.
struct Matrix {
  Matrix(int64_t n, int64_t k, std::mt19937 &random) : n(n), k(k), values(n * k) {
    for (int64_t i = 0; i < n * k; ++i)
      values[i] = i % k % 32 ? float(int(random() % 256) - 128) / 2 : -64.0f;
  }
  float at(int64_t row, int64_t column) const { return values[row * k + column]; }
  int64_t n, k;
  std::vector<float> values;
};

struct Expert {
  explicit Expert(std::mt19937 &random)
      : gate(ffn, hidden, random), up(ffn, hidden, random), down(hidden, ffn, random) {}
  Matrix gate, up, down;
};

std::vector<Expert> drawExperts() {
  std::mt19937 random(11);
  std::vector<Expert> all;
  for (int64_t i = 0; i < experts; ++i)
    all.emplace_back(random);
  return all;
}

// [experts][lines][columns] in BF16, which holds these values.
FileTensor stack(const std::string &name, int64_t lines, int64_t columns,
                 const std::function<float(int64_t expert, int64_t line, int64_t column)> &at) {
  std::vector<uint16_t> bits;
  for (int64_t expert = 0; expert < experts; ++expert)
    for (int64_t line = 0; line < lines; ++line)
      for (int64_t column = 0; column < columns; ++column)
        bits.push_back(uint16_t(llvm::bit_cast<uint32_t>(at(expert, line, column)) >> 16));
  return {name, "BF16", 0, {experts, lines, columns}, bytesOf(bits)};
}

std::vector<FileTensor> stackLikeQwen(const std::vector<Expert> &all) {
  auto gateUp = [&](int64_t expert, int64_t line, int64_t column) {
    return line < ffn ? all[expert].gate.at(line, column) : all[expert].up.at(line - ffn, column);
  };
  auto down = [&](int64_t expert, int64_t line, int64_t column) { return all[expert].down.at(line, column); };
  return {stack(parent + ".gate_up_proj", 2 * ffn, hidden, gateUp),
          stack(parent + ".down_proj", hidden, ffn, down)};
}

std::vector<FileTensor> stackLikeGptOss(const std::vector<Expert> &all) {
  auto gateUp = [&](int64_t expert, int64_t line, int64_t column) {
    return (column % 2 ? all[expert].up : all[expert].gate).at(column / 2, line);
  };
  auto down = [&](int64_t expert, int64_t line, int64_t column) { return all[expert].down.at(column, line); };
  return {stack(parent + ".gate_up_proj", hidden, 2 * ffn, gateUp),
          stack(parent + ".down_proj", ffn, hidden, down)};
}

void expectExperts(const std::vector<Expert> &all, const std::vector<FileTensor> &tensors, bool isGptOss,
                   const std::string &prefix, const std::array<std::string, 3> &names) {
  WeightStorage storage;
  storage.interleaved = storage.transposed = isGptOss;
  const Bytes file = safetensors(tensors);
  for (int64_t expert = 0; expert < experts; ++expert) {
    const Matrix *matrices[] = {&all[expert].gate, &all[expert].up, &all[expert].down};
    for (int i = 0; i < 3; ++i) {
      const std::string module = prefix + ".experts." + std::to_string(expert) + "." + names[i];
      Opened opened("model.safetensors", file, storage, module, "w8g32");
      expectWeights(opened, "w8g32", matrices[i]->n, matrices[i]->k,
                    [&](int64_t row, int64_t column) { return matrices[i]->at(row, column); });
      EXPECT_EQ(opened.source->conversion, "BF16 rounded to w8g32");
      EXPECT_EQ(opened.source->name, module);
    }
  }
}

TEST(Experts, OfQwenAndMixtral) {
  const auto all = drawExperts();
  std::vector<FileTensor> tensors = stackLikeQwen(all);
  expectExperts(all, tensors, false, "model.layers.2.mlp", {"gate_proj", "up_proj", "down_proj"});
  expectExperts(all, tensors, false, "language_model.model.layers.2.mlp",
                {"gate_proj", "up_proj", "down_proj"});
  expectExperts(all, tensors, false, "model.layers.2.block_sparse_moe", {"w1", "w3", "w2"});
  for (FileTensor &tensor : tensors)
    tensor.name.replace(0, parent.size(), "model.language_model.layers.2.block_sparse_moe.experts");
  expectExperts(all, tensors, false, "language_model.model.layers.2.block_sparse_moe", {"w1", "w3", "w2"});
}

TEST(Experts, OfGptOssInFloats) {
  const auto all = drawExperts();
  expectExperts(all, stackLikeGptOss(all), true, "model.layers.2.mlp", {"gate_proj", "up_proj", "down_proj"});
}

TEST(Experts, RoutersOfMixtralHaveTwoNames) {
  const std::vector<float> values(4, 1);
  const std::string stored = "model.layers.2.mlp.gate.weight", asked = "model.layers.2.block_sparse_moe.gate";
  EXPECT_TRUE(
      Opened("model.safetensors", safetensors({{stored, "F32", 0, {1, 4}, bytesOf(values)}}), {}, asked, "w4")
          .source);
}

// As gpt-oss is published: MXFP4.
struct Microscaled {
  Microscaled() : gateUp(2 * ffn, hidden), down(hidden, ffn) {}

  struct Stack {
    Stack(int64_t n, int64_t k) : n(n), k(k), blocks(experts * n * k / 2), scales(experts * n * k / 32) {
      std::mt19937 random(13);
      for (uint8_t &byte : blocks)
        byte = uint8_t(random());
      for (uint8_t &byte : scales)
        byte = uint8_t(random() % 255);
    }
    float at(int64_t expert, int64_t row, int64_t column) const {
      static const float magnitudes[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
      const int64_t line = expert * n + row;
      const uint8_t pair = blocks[line * (k / 2) + column / 2], code = column % 2 ? pair >> 4 : pair & 15;
      return std::ldexp(code & 8 ? -magnitudes[code & 7] : magnitudes[code & 7],
                        scales[line * (k / 32) + column / 32] - 127);
    }
    std::vector<FileTensor> tensors(const std::string &name) const {
      return {{parent + "." + name + "_blocks", "U8", 0, {experts, n, k / 32, 16}, blocks},
              {parent + "." + name + "_scales", "U8", 0, {experts, n, k / 32}, scales}};
    }
    int64_t n, k;
    Bytes blocks, scales;
  };

  Bytes file() const {
    auto tensors = gateUp.tensors("gate_up_proj"), more = down.tensors("down_proj");
    tensors.insert(tensors.end(), more.begin(), more.end());
    tensors.push_back(
        {parent + ".gate_up_proj_bias", "BF16", 0, {experts, 2 * ffn}, Bytes(experts * 2 * ffn * 2)});
    return safetensors(tensors);
  }
  Opened open(const std::string &module, const std::string &format = "") const {
    return Opened("model.safetensors", file(), {}, parent + "." + module, format);
  }

  Stack gateUp, down;
};

TEST(Experts, OfGptOss) {
  const Microscaled drawn;
  for (int64_t expert = 0; expert < experts; ++expert) {
    const std::string number = std::to_string(expert);
    for (int up = 0; up < 2; ++up)
      expectWeights(
          drawn.open(number + (up ? ".up_proj" : ".gate_proj")), "fp4g32e", ffn, hidden,
          [&](int64_t row, int64_t column) { return drawn.gateUp.at(expert, 2 * row + up, column); });
    Opened down = drawn.open(number + ".down_proj", "fp4g32e");
    expectWeights(down, "fp4g32e", hidden, ffn,
                  [&](int64_t row, int64_t column) { return drawn.down.at(expert, row, column); });
    EXPECT_EQ(down.source->conversion, "as stored");
  }
}

TEST(Experts, ErrorsNameTheLayer) {
  using testing::HasSubstr;
  Microscaled drawn;
  EXPECT_THAT(
      drawn.open("3.up_proj").problem,
      HasSubstr(
          "'model.layers.2.mlp.experts.3.up_proj': there is no expert 3 in a tensor of 3 x 192 x 2 x 16"));
  EXPECT_THAT(drawn.open("1.up_proj", "w4g32").problem,
              HasSubstr("is stored as fp4g32e, not as w4g32; compile the library with fp4g32e"));
  EXPECT_THAT(drawn.open("1.side_proj").problem, HasSubstr("has no weights of this name"));
  EXPECT_THAT(drawn.open("-1.up_proj").problem, HasSubstr("has no weights of this name"));
  drawn.down.scales[drawn.down.n * 3 + 3 * 5 + 1] = 255; // row 5 of expert 1
  EXPECT_EQ(readProblem(*drawn.open("0.down_proj").source, hidden), "");
  EXPECT_THAT(readProblem(*drawn.open("1.down_proj").source, hidden),
              HasSubstr("'model.layers.2.mlp.experts.1.down_proj': a scale of row 5 is not a number"));

  auto problemOf = [&](std::vector<FileTensor> tensors, const std::string &format) {
    return Opened("model.safetensors", safetensors(tensors), {}, parent + ".0.up_proj", format).problem;
  };
  auto tensors = drawn.gateUp.tensors("gate_up_proj");
  EXPECT_THAT(problemOf({tensors[0]}, ""), HasSubstr("but no tensor gate_up_proj_scales"));
  tensors[1].shape = {experts, 2, 2 * ffn};
  EXPECT_THAT(problemOf(tensors, ""), HasSubstr("gate_up_proj_scales is 3 x 2 x 192, not 3 x 192 x 2"));
  FileTensor odd = stack(parent + ".gate_up_proj", 3, 32, [](int64_t, int64_t, int64_t) { return 1.0f; });
  EXPECT_THAT(problemOf({odd}, "w4g32"), HasSubstr("shares 3 rows of gate and up, which are no halves"));
  odd.shape = {experts * 3, 32};
  EXPECT_THAT(problemOf({odd}, "w4g32"), HasSubstr("gate_up_proj is 9 x 32, not any x any x any"));
  odd.shape = {experts, 2, 48};
  EXPECT_THAT(problemOf({odd}, ""), HasSubstr("is stored as BF16; name a format"));
}

} // namespace

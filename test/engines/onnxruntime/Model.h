// A model of one MatMulNBits node, drawn at random, and what it computes in double precision.
#ifndef LUT_TEST_ENGINES_ONNXRUNTIME_MODEL_H
#define LUT_TEST_ENGINES_ONNXRUNTIME_MODEL_H

#include "../../bench/OnnxModel.h"
#include "reference.h"
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace lut::onnx {

using bench::Message;

enum Type { f32 = 1, u8 = 2, i32 = 6, boolean = 9, f16 = 10 };
// Zero points: none; packed bytes; packed, all 2^(bits-1); of the type of the scales, whole and not.
enum class Zeros { none, packed, middle, whole, fractions };

// Halves the closest to a float: of numbers that are normal as halves.
inline uint16_t halfOf(float value) {
  const uint32_t bits = reference::bitsOf(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude < 0x38800000)
    return uint16_t(sign | uint32_t(std::nearbyint(std::fabs(value) * 0x1p24f)));
  return uint16_t(sign | (magnitude + 0xfff + (magnitude >> 13 & 1) - 0x38000000) >> 13);
}

inline float rounded(float value, Type type) { return type == f16 ? reference::widen(halfOf(value)) : value; }

inline std::string bytesOf(const std::vector<float> &values, Type type) {
  std::string bytes;
  for (float value : values) {
    const uint16_t half = halfOf(value);
    bytes.append(type == f16 ? reinterpret_cast<const char *>(&half) : reinterpret_cast<const char *>(&value),
                 type == f16 ? 2 : 4);
  }
  return bytes;
}

inline std::vector<float> floatsOf(const void *data, size_t count, Type type) {
  std::vector<float> values;
  for (size_t i = 0; i < count; ++i)
    values.push_back(type == f16 ? reference::widen(static_cast<const uint16_t *>(data)[i])
                                 : static_cast<const float *>(data)[i]);
  return values;
}

struct Node {
  size_t n = 64, k = 128, block = 32;
  int bits = 4, level = 0;
  Type type = f32;
  Zeros zeros = Zeros::none;
  bool hasBias = false, hasGroups = false; // g_idx
  bool areScalesF16 = false;               // values that f16 holds
  bool isInBranch = false;                 // of an If, with the weights outside
  std::vector<int> variables;              // inputs that are the model's, not constant
  size_t blocks() const { return (k + block - 1) / block; }
};

struct Input {
  std::string name, bytes;
  std::vector<int64_t> shape;
  Type type;
};

class Model {
public:
  Model(const Node &drawn, uint32_t seed) : node(drawn), random(seed) {
    const size_t n = node.n, blocks = node.blocks(), row = blocks * node.block;
    codes.resize(n * row);
    for (uint8_t &code : codes)
      code = uint8_t(random() % (1u << node.bits));
    std::uniform_real_distribution<float> scale(0.01f, 0.1f);
    for (size_t i = 0; i < n * blocks; ++i) {
      scales.push_back(rounded(scale(random), node.areScalesF16 ? f16 : node.type));
      zeros.push_back(drawZero());
    }
    for (size_t i = 0; i < n; ++i)
      bias.push_back(rounded(normal(random), node.type));
    for (size_t i = 0; i < node.k; ++i) // some order of the blocks
      groups.push_back(int32_t((i / node.block * 7 + 3) % blocks));
  }

  std::vector<float> activations(size_t m) {
    std::vector<float> x(m * node.k);
    for (float &value : x)
      value = rounded(normal(random), node.type);
    return x;
  }

  // Takes an input of another model of the same node.
  void take(const Model &other, int input) {
    if (input == 1)
      codes = other.codes;
    else
      (input == 2 ? scales : zeros) = input == 2 ? other.scales : other.zeros;
  }

  // The inputs that are not constant, but A.
  std::vector<Input> variables() const {
    std::vector<Input> chosen;
    for (int input : node.variables)
      chosen.push_back(tensor(input));
    if (node.isInBranch)
      chosen.push_back({"condition", "\1", {}, boolean});
    return chosen;
  }

  std::string serialize() const {
    Message graph, call;
    graph.bytes(2, "product").add(11, value("A", node.type, {}));
    call.bytes(1, "A");
    for (int input = 1; input <= lastInput(); ++input) {
      if (!has(input)) {
        call.bytes(1, "");
        continue;
      }
      const Input t = tensor(input);
      call.bytes(1, t.name);
      if (isVariable(input)) {
        graph.add(11, value(t.name, t.type, t.shape));
        continue;
      }
      Message constant;
      for (int64_t size : t.shape)
        constant.number(1, uint64_t(size));
      graph.add(5, constant.number(2, uint64_t(t.type)).bytes(8, t.name).bytes(9, t.bytes));
    }
    call.bytes(2, "Y").bytes(3, "node").bytes(4, "MatMulNBits");
    call.add(5, attribute("K", node.k))
        .add(5, attribute("N", node.n))
        .add(5, attribute("bits", size_t(node.bits)));
    call.add(5, attribute("block_size", node.block));
    if (node.level != 0) // 0 is what it is without
      call.add(5, attribute("accuracy_level", size_t(node.level)));
    call.bytes(7, "com.microsoft");
    if (node.isInBranch) {
      graph.add(11, value("condition", boolean, {}));
      call = branchOn("condition", call);
    }
    graph.add(1, call).add(12, value("Y", node.type, {}));
    const Message standard = Message().bytes(1, "").number(2, 17);
    const Message microsoft = Message().bytes(1, "com.microsoft").number(2, 1);
    return Message().number(1, 8).add(7, graph).add(8, standard).add(8, microsoft).str();
  }

  std::vector<double> product(const std::vector<float> &x) const {
    std::vector<double> w(node.n * node.k), y;
    for (size_t row = 0; row < node.n; ++row)
      for (size_t i = 0; i < node.k; ++i) {
        const size_t at = row * node.blocks() + (node.hasGroups ? size_t(groups[i]) : i / node.block);
        w[row * node.k + i] = double(scales[at]) * (code(row, i) - double(zeros[at]));
      }
    for (size_t token = 0; token < x.size() / node.k; ++token)
      for (size_t row = 0; row < node.n; ++row) {
        double sum = node.hasBias ? double(bias[row]) : 0.0;
        for (size_t i = 0; i < node.k; ++i)
          sum += w[row * node.k + i] * double(x[token * node.k + i]);
        y.push_back(sum);
      }
    return y;
  }

  // The bits of class a8, with minimums -scale * zero point where zero points are fractions.
  std::vector<float> integerProduct(const std::vector<float> &x) const {
    lutc_kernel_info info = {};
    const std::string format = "w" + std::to_string(node.bits);
    info.format = format.c_str();
    info.numerics = "a8";
    info.n = node.n, info.k = node.k, info.group = node.block, info.codes = size_t(1) << node.bits;
    info.scale_type = LUTC_F32;
    info.has_minimums = node.zeros == Zeros::fractions;
    info.has_zero_points = !info.has_minimums;
    std::vector<uint8_t> bytes;
    std::vector<float> minimums;
    for (size_t i = 0; i < zeros.size(); ++i) {
      bytes.push_back(uint8_t(zeros[i]));
      minimums.push_back(-scales[i] * zeros[i]);
    }
    lutc_weights weights = {};
    weights.codes = codes.data();
    weights.codes_stride = node.blocks() * node.block;
    weights.scales = scales.data();
    weights.zero_points = bytes.data();
    weights.minimums = minimums.data();
    std::vector<float> y = reference::product(info, weights, x.data(), node.k, x.size() / node.k);
    for (size_t i = 0; node.hasBias && i < y.size(); ++i)
      y[i] = y[i] + bias[i % node.n];
    return y;
  }

  const Node node;
  std::vector<float> scales; // [n][blocks]
  std::vector<float> zeros, bias;

private:
  float drawZero() {
    const uint32_t codes = 1u << node.bits, drawn = uint32_t(random()) % codes;
    if (node.zeros == Zeros::none || node.zeros == Zeros::middle)
      return float(codes / 2);
    return node.zeros == Zeros::fractions ? rounded(float(drawn) + 0.37f, node.type) : float(drawn);
  }

  double code(size_t row, size_t i) const { return codes[row * node.blocks() * node.block + i]; }

  // Codes from the lowest bits of bytes on; rows fill their last byte.
  std::string pack(const std::vector<uint8_t> &values, size_t row) const {
    const size_t each = 8 / size_t(node.bits), bytes = (row + each - 1) / each;
    std::string packed(values.size() / row * bytes, '\0');
    for (size_t i = 0; i < values.size(); ++i) {
      char &byte = packed[i / row * bytes + i % row / each];
      byte = char(byte | values[i] << i % row % each * size_t(node.bits));
    }
    return packed;
  }

  bool has(int input) const {
    return input == 3 ? node.zeros != Zeros::none : input == 4 ? node.hasGroups : input != 5 || node.hasBias;
  }

  int lastInput() const { return has(5) ? 5 : has(4) ? 4 : has(3) ? 3 : 2; }

  bool isVariable(int input) const {
    for (int variable : node.variables)
      if (variable == input)
        return true;
    return false;
  }

  Input tensor(int input) const {
    const auto n = int64_t(node.n), blocks = int64_t(node.blocks());
    const int64_t blob = int64_t(node.block) * node.bits / 8;
    switch (input) {
    case 1:
      return {"B", pack(codes, size_t(blocks) * node.block), {n, blocks, blob}, u8};
    case 2:
      return {"scales", bytesOf(scales, node.type), {n * blocks}, node.type};
    case 3: {
      if (node.zeros == Zeros::whole || node.zeros == Zeros::fractions)
        return {"zero_points", bytesOf(zeros, node.type), {n * blocks}, node.type};
      const std::string packed = pack(std::vector<uint8_t>(zeros.begin(), zeros.end()), size_t(blocks));
      return {"zero_points", packed, {int64_t(packed.size())}, u8};
    }
    case 4:
      return {"g_idx",
              std::string(reinterpret_cast<const char *>(groups.data()), 4 * groups.size()),
              {int64_t(node.k)},
              i32};
    default:
      return {"bias", bytesOf(bias, node.type), {n}, node.type};
    }
  }

  // An If with the node in both of its branches.
  Message branchOn(const char *condition, const Message &call) const {
    constexpr int graphType = 5;
    const Message graph = Message().add(1, call).bytes(2, "branch").add(12, value("Y", node.type, {}));
    Message branches = Message().bytes(1, condition).bytes(2, "Y").bytes(3, "if").bytes(4, "If");
    for (const char *name : {"then_branch", "else_branch"})
      branches.add(5, Message().bytes(1, name).add(6, graph).number(20, graphType));
    return branches;
  }

  static Message attribute(const char *name, size_t value) {
    constexpr int integer = 2;
    return Message().bytes(1, name).number(3, value).number(20, integer);
  }

  // Without a shape: any.
  static Message value(const std::string &name, Type type, const std::vector<int64_t> &shape) {
    Message dimensions, tensor;
    for (int64_t size : shape)
      dimensions.add(1, Message().number(1, uint64_t(size)));
    tensor.number(1, uint64_t(type));
    if (!shape.empty())
      tensor.add(2, dimensions);
    return Message().bytes(1, name).add(2, Message().add(1, tensor));
  }

  std::mt19937 random;
  std::normal_distribution<float> normal;
  std::vector<uint8_t> codes; // [n][blocks][block]
  std::vector<int32_t> groups;
};

} // namespace lut::onnx

#endif

// Writes the bytes of an ONNX model of MatMulNBits nodes that share one input.
#ifndef LUT_BENCH_ONNXMODEL_H
#define LUT_BENCH_ONNXMODEL_H

#include <cstdint>
#include <string>

namespace lut::bench {

// One protobuf message; fields are appended by their number.
class Message {
public:
  Message &number(int field, uint64_t value) {
    varint(uint64_t(field) << 3);
    varint(value);
    return *this;
  }
  Message &bytes(int field, const std::string &value) {
    varint(uint64_t(field) << 3 | 2);
    varint(value.size());
    text += value;
    return *this;
  }
  Message &add(int field, const Message &value) { return bytes(field, value.text); }
  const std::string &str() const { return text; }

private:
  void varint(uint64_t value) {
    for (; value >= 128; value >>= 7)
      text += char(value | 128);
    text += char(value);
  }
  std::string text;
};

class OnnxModel {
public:
  OnnxModel(size_t n, size_t k, int bits, size_t block, int accuracy)
      : n(n), k(k), block(block), bits(bits), accuracy(accuracy) {
    graph.bytes(2, "products").add(11, floatValue("X", k));
  }

  // A node with its own weights [n][blocks][block * bits / 8] and scales [n * blocks], and output Y<index>.
  void addProduct(size_t index, const std::string &weights, const std::string &scales) {
    const std::string id = std::to_string(index);
    const size_t blocks = (k + block - 1) / block;
    constexpr int float32 = 1, uint8 = 2;
    graph.add(5, Message()
                     .number(1, n)
                     .number(1, blocks)
                     .number(1, block * size_t(bits) / 8)
                     .number(2, uint8)
                     .bytes(8, "B" + id)
                     .bytes(9, weights));
    graph.add(5, Message().number(1, n * blocks).number(2, float32).bytes(8, "S" + id).bytes(9, scales));
    graph.add(1, Message()
                     .bytes(1, "X")
                     .bytes(1, "B" + id)
                     .bytes(1, "S" + id)
                     .bytes(2, "Y" + id)
                     .bytes(3, "product" + id)
                     .bytes(4, "MatMulNBits")
                     .add(5, attribute("K", k))
                     .add(5, attribute("N", n))
                     .add(5, attribute("bits", uint64_t(bits)))
                     .add(5, attribute("block_size", block))
                     .add(5, attribute("accuracy_level", uint64_t(accuracy)))
                     .bytes(7, "com.microsoft"));
    graph.add(12, floatValue("Y" + id, n));
  }

  std::string serialize() const {
    const Message onnx = Message().bytes(1, "").number(2, 17);
    const Message microsoft = Message().bytes(1, "com.microsoft").number(2, 1);
    return Message().number(1, 8).add(7, graph).add(8, onnx).add(8, microsoft).str();
  }

private:
  static Message attribute(const char *name, uint64_t value) {
    constexpr int integer = 2;
    return Message().bytes(1, name).number(3, value).number(20, integer);
  }

  // A float tensor [m, columns] with any m.
  static Message floatValue(const std::string &name, size_t columns) {
    const Message shape = Message().add(1, Message().bytes(2, "m")).add(1, Message().number(1, columns));
    const Message tensor = Message().number(1, 1).add(2, shape);
    return Message().bytes(1, name).add(2, Message().add(1, tensor));
  }

  size_t n, k, block;
  int bits, accuracy;
  Message graph;
};

} // namespace lut::bench

#endif

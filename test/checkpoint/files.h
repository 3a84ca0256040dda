// Writers of checkpoints for the tests, from the description of the containers.
#ifndef LUT_TEST_CHECKPOINT_FILES_H
#define LUT_TEST_CHECKPOINT_FILES_H

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace lut::test {

using Bytes = std::vector<uint8_t>;

template <typename T> Bytes bytesOf(const std::vector<T> &values) {
  Bytes bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <typename T> void append(Bytes &bytes, T value) {
  for (uint8_t byte : bytesOf(std::vector<T>{value}))
    bytes.push_back(byte);
}

inline void appendText(Bytes &bytes, const std::string &text) {
  append<uint64_t>(bytes, text.size());
  bytes.insert(bytes.end(), text.begin(), text.end());
}

struct FileTensor {
  std::string name, dtype; // of safetensors
  uint32_t type = 0;       // of GGUF
  std::vector<int64_t> shape;
  Bytes bytes;
};

// A directory that lives as long as the test.
struct Directory {
  Directory() {
    const auto *info = testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string(info->test_suite_name()) + "." + info->name();
    for (char &c : name)
      c = c == '/' ? '-' : c;
    name = "lutc-" + name + "." + std::to_string(getpid()); // beside the same test of another build
    path = std::filesystem::path(testing::TempDir()) / name;
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~Directory() { std::filesystem::remove_all(path); }

  std::string write(const std::string &name, const Bytes &bytes) const {
    std::ofstream(path / name, std::ios::binary)
        .write(reinterpret_cast<const char *>(bytes.data()), std::streamsize(bytes.size()));
    return (path / name).string();
  }
  std::string write(const std::string &name, const std::string &text) const {
    return write(name, Bytes(text.begin(), text.end()));
  }

  std::filesystem::path path;
};

inline Bytes safetensors(const std::string &header, const Bytes &data) {
  Bytes bytes;
  appendText(bytes, header);
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

inline Bytes safetensors(const std::vector<FileTensor> &tensors) {
  std::string header = R"({"__metadata__":{"format":"pt"})";
  Bytes data;
  for (const FileTensor &tensor : tensors) {
    header += ",\"" + tensor.name + "\":{\"dtype\":\"" + tensor.dtype + "\",\"shape\":[";
    for (size_t i = 0; i < tensor.shape.size(); ++i)
      header += (i ? "," : "") + std::to_string(tensor.shape[i]);
    header += "],\"data_offsets\":[" + std::to_string(data.size()) + ",";
    data.insert(data.end(), tensor.bytes.begin(), tensor.bytes.end());
    header += std::to_string(data.size()) + "]}";
  }
  return safetensors(header + "}", data);
}

// Values of metadata: type and bytes behind the key.
struct GgufValue {
  std::string key;
  uint32_t type;
  Bytes bytes;
};

inline GgufValue ggufText(const std::string &key, const std::string &text) {
  GgufValue value{key, 8, {}};
  appendText(value.bytes, text);
  return value;
}

inline GgufValue ggufNumber(const std::string &key, uint32_t number) {
  return {key, 4, bytesOf(std::vector<uint32_t>{number})};
}

inline Bytes gguf(const std::vector<GgufValue> &values, const std::vector<FileTensor> &tensors,
                  uint64_t alignment = 32) {
  Bytes bytes = {'G', 'G', 'U', 'F', 3, 0, 0, 0}, data;
  append<uint64_t>(bytes, tensors.size());
  append<uint64_t>(bytes, values.size());
  for (const GgufValue &value : values) {
    appendText(bytes, value.key);
    append<uint32_t>(bytes, value.type);
    bytes.insert(bytes.end(), value.bytes.begin(), value.bytes.end());
  }
  for (const FileTensor &tensor : tensors) {
    appendText(bytes, tensor.name);
    append<uint32_t>(bytes, uint32_t(tensor.shape.size()));
    for (size_t i = tensor.shape.size(); i-- > 0;)
      append<uint64_t>(bytes, uint64_t(tensor.shape[i]));
    append<uint32_t>(bytes, tensor.type);
    append<uint64_t>(bytes, data.size());
    data.insert(data.end(), tensor.bytes.begin(), tensor.bytes.end());
    data.resize((data.size() + alignment - 1) / alignment * alignment);
  }
  bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

} // namespace lut::test

#endif

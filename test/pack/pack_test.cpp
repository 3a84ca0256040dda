// lutc pack from end to end: drawn checkpoints, packed for every variant that this CPU runs, mapped by a C
// program and compared to the bit with the oracle on the weights as they were drawn.
#include "bitnet.h"
#include "bitnet_lmma.h"
#include "experts.h"
#include "file.h"
#include "files.h"
#include "gguf.h"
#include "gpt_oss.h"
#include "gptq.h"
#include "gptq_lmma.h"
#include "kernel.h"
#include "packed_model.h"
#include "process.h"
#include "reference.h"
#include "tied.h"
#include "unknown.h"
#include <algorithm>
#include <random>

using namespace lut;
using namespace lut::test;

namespace {

struct Model {
  const char *name, *drawn;
  const lutc_library &library;
  std::string checkpoint() const { return std::string(DIRECTORY "/") + drawn; }
  std::string manifest() const { return std::string(DIRECTORY "/lib/") + name + ".json"; }
};

const Model models[] = {{"gptq", "gptq", gptq_library},
                        {"bitnet", "bitnet", bitnet_library},
                        {"experts", "experts", experts_library},
                        {"gpt_oss", "gpt_oss", gpt_oss_library},
                        {"gguf", "gguf", gguf_library},
                        {"tied", "tied", tied_library},
                        {"unknown", "unknown", unknown_library},
                        {"gptq_lmma", "gptq", gptq_lmma_library},
                        {"bitnet_lmma", "bitnet", bitnet_lmma_library}};

template <typename T> std::vector<T> read(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

// The weights of a layer as they were drawn.
struct Truth {
  Truth(const Model &model, const std::string &module) {
    const std::string stem = model.checkpoint() + "/truth/" + module;
    codes = read<uint8_t>(stem + ".codes");
    scales = read<uint8_t>(stem + ".scales");
    zeros = read<uint8_t>(stem + ".zeros");
    minimums = read<uint16_t>(stem + ".minimums");
    multiples = read<int8_t>(stem + ".multiples");
    minimumMultiples = read<int8_t>(stem + ".minimum_multiples");
    columns = read<int32_t>(stem + ".columns");
  }
  lutc_weights view() const {
    auto data = [](const auto &values) { return values.empty() ? nullptr : values.data(); };
    return {
        codes.data(), 0, scales.data(), data(zeros), data(minimums), data(multiples), data(minimumMultiples),
        data(columns)};
  }
  std::vector<uint8_t> codes, scales, zeros;
  std::vector<uint16_t> minimums;
  std::vector<int8_t> multiples, minimumMultiples;
  std::vector<int32_t> columns;
};

// Of files <name>.<kind> with the truth.
std::vector<std::string> namesOf(const Model &model, const std::string &kind) {
  std::vector<std::string> names;
  for (const auto &entry : std::filesystem::directory_iterator(model.checkpoint() + "/truth"))
    if (entry.path().extension() == kind)
      names.push_back(entry.path().stem());
  return names;
}

Outcome pack(const Model &model, const std::string &output, const std::string &variant,
             const std::vector<std::string> &options = {}) {
  std::vector<std::string> command = {
      LUTC, "pack", model.checkpoint(), "--library=" + model.manifest(), "--variant=" + variant,
      "-o", output};
  command.insert(command.end(), options.begin(), options.end());
  return run(command);
}

struct Variant {
  const Model *model;
  const char *name;
};

std::vector<Variant> variants() {
  std::vector<Variant> all;
  for (const Model &model : models)
    for (size_t i = 0; i < model.library.variant_count; ++i)
      all.push_back({&model, model.library.variants[i]});
  return all;
}

struct Packed : testing::TestWithParam<Variant> {
  void SetUp() override {
    const lutc_status status = lutc_use_variant(&model.library, GetParam().name);
    if (status == LUTC_UNSUPPORTED_CPU)
      GTEST_SKIP() << "variant " << GetParam().name << " not run: " << lutc_status_string(status);
    ASSERT_EQ(status, LUTC_OK);
    path = directory.path / "model.lutc";
    const Outcome outcome = pack(model, path, GetParam().name);
    ASSERT_EQ(outcome.exitCode, 0) << outcome.output;
    // No bar where nobody looks.
    EXPECT_EQ(outcome.output,
              model.name != std::string("unknown")
                  ? ""
                  : "lutc: no kernel names 1 of the checkpoint's linear layers, such as 'lm_head': they "
                    "stay as they are\n");
    ASSERT_EQ(map_model(&model.library, path.c_str(), &packed), LUTC_OK);
  }
  void TearDown() override { unmap_model(&packed); }

  void checkLayer(const std::string &module) {
    const Truth truth(model, module);
    const std::string name = module + ".weight";
    lutc_tensor tensor;
    ASSERT_EQ(lutc_find_tensor(&packed.file, name.c_str(), &tensor), LUTC_OK) << name;
    const lutc_kernel_info &info = *lutc_kernel_describe(tensor.kernel);
    ASSERT_EQ(truth.codes.size(), info.n * info.k);
    ASSERT_EQ(info.has_columns != 0, !std::is_sorted(truth.columns.begin(), truth.columns.end()));
    constexpr size_t m = 3;
    std::vector<float> x(m * info.k), y(m * info.n);
    for (float &value : x)
      value = normal(random);
    ASSERT_EQ(run_layer(&packed, name.c_str(), m, x.data(), y.data()), LUTC_OK);
    const lutc_weights weights = truth.view();
    EXPECT_EQ(y, reference::product(info, weights, x.data(), info.k, m)) << name;
  }

  uint32_t layoutId(size_t kernel, const std::string &variant) const {
    for (size_t i = 0; i < model.library.variant_count; ++i)
      if (model.library.variants[i] == variant)
        return model.library.kernels[kernel]->variants[i]->layout_id;
    return 0;
  }

  const Model &model = *GetParam().model;
  Directory directory;
  std::filesystem::path path;
  packed_model packed = {};
  std::mt19937_64 random{3};
  std::normal_distribution<float> normal;
};

TEST_P(Packed, ComputesWhatTheCheckpointHolds) {
  ASSERT_EQ(lutc_check_file(&packed.file), LUTC_OK);
  const std::vector<std::string> modules = namesOf(model, ".codes");
  ASSERT_GE(modules.size(), 14u);
  for (const std::string &module : modules)
    checkLayer(module);
}

TEST_P(Packed, PassesOtherTensorsThrough) {
  const std::vector<std::string> names = namesOf(model, ".plain");
  ASSERT_GE(names.size(), 7u);
  for (const std::string &name : names) {
    lutc_tensor tensor;
    ASSERT_EQ(lutc_find_tensor(&packed.file, name.c_str(), &tensor), LUTC_OK) << name;
    EXPECT_EQ(tensor.role, LUTC_PLAIN);
    EXPECT_EQ(tensor.type, tensor.rank == 1 ? LUTC_F32 : LUTC_BF16);
    const std::vector<uint8_t> expected = read<uint8_t>(model.checkpoint() + "/truth/" + name + ".plain");
    ASSERT_EQ(tensor.bytes, expected.size());
    EXPECT_EQ(std::memcmp(tensor.data, expected.data(), expected.size()), 0) << name;
  }
  lutc_tensor tensor;
  for (const char *gone :
       {"model.layers.0.self_attn.q_proj.qweight", "model.layers.0.self_attn.q_proj.weight_scale"})
    EXPECT_EQ(lutc_find_tensor(&packed.file, gone, &tensor), LUTC_UNKNOWN_TENSOR);
}

TEST_P(Packed, IsTheSameEveryTime) {
  const std::string again = directory.path / "again.lutc";
  ASSERT_EQ(pack(model, again, GetParam().name).exitCode, 0);
  EXPECT_TRUE(read<uint8_t>(path) == read<uint8_t>(again));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path), {}), 2); // no leftovers
}

TEST_P(Packed, IsOfOneLibraryAndLayout) {
  packed_model other;
  for (const Model &another : models)
    if (&another != &model) {
      EXPECT_EQ(map_model(&another.library, path.c_str(), &other),
                another.library.hash == model.library.hash ? LUTC_WRONG_LAYOUT : LUTC_WRONG_LIBRARY);
      unmap_model(&other);
    }
  // Other variants take the file where their layouts are the same.
  for (size_t i = 0; i < model.library.variant_count; ++i) {
    const char *name = model.library.variants[i];
    if (lutc_use_variant(&model.library, name) != LUTC_OK)
      continue;
    bool same = true;
    for (size_t kernel = 0; kernel < model.library.kernel_count; ++kernel)
      same &= layoutId(kernel, name) == layoutId(kernel, GetParam().name);
    EXPECT_EQ(map_model(&model.library, path.c_str(), &other), same ? LUTC_OK : LUTC_WRONG_LAYOUT) << name;
    unmap_model(&other);
  }
}

// Opening notices what is cut off, checking damaged tensors.
TEST_P(Packed, IsRefusedWhenDamaged) {
  std::vector<uint8_t> bytes = read<uint8_t>(path);
  packed_model other;
  const auto map = [&](const std::vector<uint8_t> &content) {
    return map_model(&model.library, directory.write("damaged.lutc", content).c_str(), &other);
  };
  for (size_t index = 0; index < packed.file.tensor_count; index += 5) {
    lutc_tensor tensor;
    ASSERT_EQ(lutc_tensor_at(&packed.file, index, &tensor), LUTC_OK);
    const ptrdiff_t last =
        static_cast<const uint8_t *>(tensor.data) - packed.file.data + ptrdiff_t(tensor.bytes) - 1;
    bytes[size_t(last)] ^= 4;
    ASSERT_EQ(map(bytes), LUTC_OK) << tensor.name;
    bytes[size_t(last)] ^= 4;
    EXPECT_EQ(lutc_check_file(&other.file), LUTC_CORRUPT) << tensor.name;
    ASSERT_EQ(lutc_tensor_at(&other.file, index, &tensor), LUTC_OK);
    EXPECT_EQ(lutc_check_tensor(&tensor), LUTC_CORRUPT) << tensor.name;
    unmap_model(&other);
  }
  EXPECT_EQ(map({bytes.begin(), bytes.end() - 1}), LUTC_TRUNCATED);
  unmap_model(&other);
  bytes[offsetof(lutc_file_header, version)] ^= 2;
  EXPECT_EQ(map(bytes), LUTC_WRONG_VERSION);
  unmap_model(&other);
}

// A packed file of a drawn GGUF, for the variant of every CPU.
struct Gguf : testing::Test {
  explicit Gguf(const Model &model = models[4]) : model(model) {}
  void open(const std::vector<std::string> &options) {
    ASSERT_EQ(lutc_use_variant(&model.library, "x86_64"), LUTC_OK);
    const std::string path = directory.path / "model.lutc";
    const Outcome outcome = pack(model, path, "x86_64", options);
    ASSERT_EQ(outcome.exitCode, 0) << outcome.output;
    ASSERT_EQ(map_model(&model.library, path.c_str(), &packed), LUTC_OK);
  }
  void TearDown() override { unmap_model(&packed); }
  lutc_tensor find(const std::string &name) const {
    lutc_tensor tensor;
    EXPECT_EQ(lutc_find_tensor(&packed.file, name.c_str(), &tensor), LUTC_OK) << name;
    return tensor;
  }
  std::vector<uint8_t> truth(const std::string &name) const {
    return read<uint8_t>(model.checkpoint() + "/truth/" + name + ".plain");
  }
  static std::vector<uint8_t> bytesOf(const lutc_tensor &tensor) {
    auto *data = static_cast<const uint8_t *>(tensor.data);
    return {data, data + tensor.bytes};
  }
  // Rows of heads of 64, from one half and the other in turn.
  template <typename T> static std::vector<T> interleaved(const std::vector<T> &rows) {
    std::vector<T> result;
    for (size_t row = 0; row < rows.size(); ++row)
      result.push_back(rows[row / 64 * 64 + row % 2 * 32 + row % 64 / 2]);
    return result;
  }

  const Model &model;
  Directory directory;
  packed_model packed = {};
};

TEST_F(Gguf, KeepsTheNamesAndTheRowsOfTheCheckpoint) {
  ASSERT_NO_FATAL_FAILURE(open({"--names=checkpoint", "--f32=none"}));
  for (size_t i = 0; i < packed.file.tensor_count; ++i) {
    lutc_tensor tensor;
    ASSERT_EQ(lutc_tensor_at(&packed.file, i, &tensor), LUTC_OK);
    const std::string name = tensor.name;
    EXPECT_TRUE(name.rfind("blk.", 0) == 0 || name.rfind("token_embd", 0) == 0 ||
                name.rfind("output", 0) == 0)
        << name;
  }
  EXPECT_EQ(find("blk.1.attn_norm.weight").type, LUTC_BF16);
  for (auto [own, theirs] : {std::pair("attn_q", "q_proj"), std::pair("attn_k", "k_proj")}) {
    const std::string module = std::string("model.layers.0.self_attn.") + theirs;
    const lutc_tensor weights = find("blk.0." + std::string(own) + ".weight");
    const lutc_kernel_info &info = *lutc_kernel_describe(weights.kernel);
    std::vector<float> x(info.k), y(info.n);
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = float(i % 7) - 3;
    ASSERT_EQ(run_layer(&packed, weights.name, 1, x.data(), y.data()), LUTC_OK);
    const Truth drawn(model, module);
    EXPECT_EQ(y, interleaved(reference::product(info, drawn.view(), x.data(), info.k, 1)));
    std::vector<uint16_t> bias;
    const std::vector<uint8_t> wide = truth(module + ".bias");
    for (size_t i = 0; i < wide.size(); i += 4)
      bias.push_back(uint16_t(wide[i + 2] | wide[i + 3] << 8));
    bias = interleaved(bias);
    const lutc_tensor stored = find("blk.0." + std::string(own) + ".bias");
    ASSERT_EQ(stored.bytes, 2 * bias.size());
    EXPECT_EQ(std::memcmp(stored.data, bias.data(), stored.bytes), 0);
  }
}

TEST_F(Gguf, WidensMatricesOnRequest) {
  ASSERT_NO_FATAL_FAILURE(open({"--f32=all"}));
  const lutc_tensor embedding = find("model.embed_tokens.weight");
  EXPECT_EQ(embedding.type, LUTC_F32);
  std::vector<uint8_t> expected;
  const std::vector<uint8_t> narrow = truth(embedding.name);
  for (size_t i = 0; i < narrow.size(); i += 2)
    expected.insert(expected.end(), {0, 0, narrow[i], narrow[i + 1]});
  EXPECT_TRUE(bytesOf(embedding) == expected);
  EXPECT_TRUE(bytesOf(find("model.layers.1.self_attn.q_proj.bias")) ==
              truth("model.layers.1.self_attn.q_proj.bias"));
}

// An embedding that is lm_head has its packed weights, unless it is asked for in F32.
struct Tied : Gguf {
  Tied() : Gguf(models[5]) {}
};

TEST_F(Tied, EmbeddingIsStoredOnce) {
  ASSERT_NO_FATAL_FAILURE(open({}));
  const lutc_tensor head = find("lm_head.weight"), embedding = find("model.embed_tokens.weight");
  EXPECT_EQ(embedding.role, LUTC_PACKED);
  EXPECT_EQ(embedding.data, head.data);
  EXPECT_EQ(embedding.kernel, head.kernel);
  EXPECT_EQ(lutc_check_file(&packed.file), LUTC_OK);
  const size_t once = packed.file.bytes;
  unmap_model(&packed);
  ASSERT_NO_FATAL_FAILURE(open({"--f32=all"}));
  EXPECT_EQ(find("model.embed_tokens.weight").type, LUTC_F32);
  EXPECT_GE(packed.file.bytes, once + 4 * 320 * 256);
}

INSTANTIATE_TEST_SUITE_P(Models, Packed, testing::ValuesIn(variants()), [](const auto &info) {
  return std::string(info.param.model->name) + "_" + info.param.name;
});

} // namespace

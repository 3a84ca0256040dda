#include "compiler/ConfigFields.h"
#include "compiler/ConfigFile.h"
#include "compiler/ConfigKeys.h"
#include "compiler/checkpoint/WeightSource.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace lut {

namespace {

class StorageReader {
public:
  StorageReader(const ConfigNode &config, Diagnostics &diagnostics) : fields(config, diagnostics) {}

  void read(Diagnostics &diagnostics);

  WeightStorage storage;

private:
  using Method = WeightStorage::Method;

  void readGptq(Diagnostics &diagnostics);
  void readAwq(Diagnostics &diagnostics);
  void readBitnet();
  void readCompressedTensors(Diagnostics &diagnostics);

  ConfigFields fields;
};

} // namespace

static int64_t groupSize(const ConfigFields &fields, StringRef key) {
  return std::max<int64_t>(fields.integer(key, -1, int64_t(1) << 24).value_or(0), 0);
}

// The value of `key` in lower case, or `otherwise`; an error when it is none of `known`.
static std::string choice(const ConfigFields &fields, StringRef key, StringRef otherwise,
                          ArrayRef<StringRef> known, const Twine &what, Diagnostics &diagnostics) {
  const ConfigNode *node = fields.string(key);
  std::string value = node ? StringRef(node->text).lower() : otherwise.str();
  if (!is_contained(known, value))
    diagnostics.error(fields.where(key), what + " '" + value + "' is not read",
                      suggest(value, known) + "save the checkpoint as " + alternatives(known));
  return value;
}

void StorageReader::readGptq(Diagnostics &diagnostics) {
  std::string format = choice(fields, "checkpoint_format", "gptq", {"gptq", "gptq_v2"},
                              "the layout of GPTQ weights", diagnostics);
  storage.method = format == "gptq" ? Method::Gptq : Method::GptqV2;
  storage.bits = int(fields.integer("bits", 1, 16).value_or(0));
  storage.group = groupSize(fields, "group_size");
}

// exllama and ipex are kernels for the layout of gemm.
void StorageReader::readAwq(Diagnostics &diagnostics) {
  std::string version = choice(fields, "version", "gemm", {"gemm", "gemv", "exllama", "ipex"},
                               "the layout of AWQ weights", diagnostics);
  storage.method = version == "gemv" ? Method::AwqGemv : Method::AwqGemm;
  storage.group = groupSize(fields, fields.find("q_group_size") ? "q_group_size" : "group_size");
  if (!fields.find("q_group_size") && !fields.find("group_size"))
    storage.group = 128;
}

// BitLinear divides by weight_scale, AutoBitLinear multiplies with it.
void StorageReader::readBitnet() {
  const ConfigNode *linear = fields.string("linear_class");
  storage.method = Method::Bitnet;
  storage.dividesByScale = !linear || linear->text == "bitlinear";
  storage.isTernary = true;
}

void StorageReader::readCompressedTensors(Diagnostics &diagnostics) {
  storage.method = Method::CompressedTensors;
  choice(fields, "format", "pack-quantized", {"pack-quantized", "dense", "mixed-precision"},
         "the layout of compressed weights", diagnostics);
  const ConfigNode *groups = fields.map("config_groups");
  if (!groups || groups->members.size() != 1)
    return;
  if (const ConfigNode *weights = ConfigFields(groups->members[0].value, diagnostics).map("weights")) {
    ConfigFields encoding(*weights, diagnostics);
    storage.bits = int(encoding.integer("num_bits", 1, 64).value_or(0));
    storage.group = groupSize(encoding, "group_size");
  }
}

void StorageReader::read(Diagnostics &diagnostics) {
  const ConfigNode *method = fields.string("quant_method");
  StringRef name = method ? StringRef(method->text) : "";
  if (name == "gptq")
    readGptq(diagnostics);
  else if (name == "awq")
    readAwq(diagnostics);
  else if (name == "bitnet")
    readBitnet();
  else if (name == "compressed-tensors")
    readCompressedTensors(diagnostics);
}

std::optional<WeightStorage> readWeightStorage(const Checkpoint &checkpoint, Diagnostics &diagnostics) {
  WeightStorage storage;
  if (checkpoint.isGguf()) {
    storage.method = WeightStorage::Method::Gguf;
    return storage;
  }
  // EfficientQAT writes packed weights without a word in the config.
  if (any_of(checkpoint.tensors, [](const Tensor &tensor) { return tensor.name.ends_with(".qweight"); }))
    storage.method = WeightStorage::Method::EfficientQat;
  if (checkpoint.config.empty())
    return storage;
  std::optional<ConfigFile> file = readConfigFile(checkpoint.config, diagnostics);
  if (!file)
    return std::nullopt;
  const ConfigNode *type = file->root.find("model_type"), *config = findQuantization(file->root);
  if (config && config->kind == ConfigNode::Mapping) {
    StorageReader reader(*config, diagnostics);
    reader.read(diagnostics);
    storage = reader.storage;
  }
  storage.isGptOss = type && type->text == "gpt_oss";
  if (diagnostics.failed())
    return std::nullopt;
  return storage;
}

} // namespace lut

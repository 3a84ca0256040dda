// A quantizer: how it writes a quantization_config and how it stores the weights of a layer. Each has a file,
// and a line in the registry (Quantizer.cpp).
#ifndef LUT_COMPILER_QUANTIZERS_QUANTIZER_H
#define LUT_COMPILER_QUANTIZERS_QUANTIZER_H

#include "compiler/checkpoint/WeightRows.h"
#include "compiler/config/ConfigFields.h"
#include "compiler/quantizers/Quantization.h"

namespace lut {

// Reads layers of tensors other than a matrix of floats. Bits, groups, order and zero points come from the
// tensors; it knows what they leave open.
class TensorReader {
public:
  virtual ~TensorReader() = default;
  virtual std::string name() const = 0;                     // "GPTQ 2"
  virtual llvm::StringRef mainTensor() const { return ""; } // that each of its layers has
  virtual WeightSourceOr open(const Layer &layer, std::optional<Format> format) const = 0;
  // Whether <name>_blocks and <name>_scales of stacked experts are this method's.
  virtual bool hasBlocks() const { return false; }
  // What the floats of a layer are rounded to when the model runs.
  virtual std::optional<Format> formatOfFloats() const { return std::nullopt; }
};

using TensorReaderRef = std::shared_ptr<const TensorReader>;

// A layout that lutc does not read: the words of a layer are never taken for others.
TensorReaderRef unread(llvm::StringRef name, const llvm::Twine &layout, const llvm::Twine &advice);

// Integers with scales, as a config describes them, and the places to point at.
struct Encoding {
  int64_t bits, group;      // group -1: the whole row
  bool symmetric, permuted; // permuted: columns of a group may lie anywhere
  llvm::SMRange bitsAt, groupAt;
};

// A quantization_config, what its methods share in reading it, and the result.
class MethodConfig {
public:
  MethodConfig(const ConfigNode &config, Diagnostics &diagnostics)
      : config(config), fields(config, diagnostics), diagnostics(diagnostics) {}

  const ConfigNode &config;
  const ConfigFields fields;
  Diagnostics &diagnostics;
  Quantization result;

  WeightDecision decide(const Encoding &encoding) const;
  WeightDecision decide(llvm::StringRef format, llvm::StringRef key) const;
  // There is no format; --weights names what such weights are requantized to.
  WeightDecision withoutFormat(llvm::SMRange where, const llvm::Twine &message,
                               const llvm::Twine &note = "") const;

  Encoding encoding(llvm::StringRef bits = "bits", llvm::StringRef group = "group_size") const;
  // `base` with what an override by name changes.
  Encoding changed(Encoding base, const ConfigFields &changes) const;

  // The value of `key` in lower case, as quantizers compare it; `otherwise` without one.
  std::string word(llvm::StringRef key, llvm::StringRef otherwise) const;

  void addRule(std::optional<ModulePattern> pattern, WeightDecision decision);
  // The modules that the list under `key` keeps in float, as transformers matches them.
  void keep(llvm::StringRef key);
};

struct Quantizer {
  llvm::StringLiteral name; // its quant_method, in lower case
  void (*read)(MethodConfig &config);
  llvm::StringLiteral alias = "", secondAlias = ""; // other names that libraries take for it
  llvm::StringLiteral file = "";                    // that older versions wrote beside config.json
};

#define LUT_QUANTIZER(name) extern const Quantizer name;
#include "compiler/quantizers/Quantizers.def"

// Any other method: never decodes what it has packed.
void readUnknown(MethodConfig &config);

// The layouts that quantizers share.
enum class GptqZeros { LessOne, AsTheyAre, Unsaid };                      // how zero points are stored
TensorReaderRef gptqReader(GptqZeros zeros, int64_t bits, int64_t group); // 0: unknown
TensorReaderRef gptqReaderOf(const Layer &layer); // without a config: each layer's zero points have to tell
TensorReaderRef awqReader(bool isGemv, int64_t group);
TensorReaderRef packQuantizedReader(int64_t bits, int64_t group);

} // namespace lut

#endif

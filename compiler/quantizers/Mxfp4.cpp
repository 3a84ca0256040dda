// MXFP4 of gpt-oss: experts in blocks, whose tensors speak for themselves (checkpoint/StackedExperts.cpp).
#include "compiler/quantizers/Quantizer.h"

using namespace llvm;

namespace lut {

namespace {

class Mxfp4Reader : public TensorReader {
public:
  std::string name() const override { return "MXFP4"; }
  bool hasBlocks() const override { return true; }
  WeightSourceOr open(const Layer &layer, std::optional<Format>) const override {
    return layer.error(
        "is stored as MXFP4 in a layer of its own, which lutc does not read; it reads the stacked "
        "experts of gpt-oss, <name>_blocks and <name>_scales");
  }
};

} // namespace

static void readMxfp4(MethodConfig &config) {
  config.result.otherwise = config.decide("fp4g32e", "quant_method");
  config.result.reader = std::make_shared<Mxfp4Reader>();
  config.keep("modules_to_not_convert");
}

const Quantizer mxfp4 = {"mxfp4", readMxfp4};

} // namespace lut

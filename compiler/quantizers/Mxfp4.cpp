// MXFP4 of gpt-oss: experts in blocks, whose tensors speak for themselves (checkpoint/StackedExperts.cpp).
#include "compiler/quantizers/Quantizer.h"

namespace lut {

static void readMxfp4(MethodConfig &config) {
  config.result.otherwise = config.decide("fp4g32e", "quant_method");
  config.result.reader = unread("MXFP4", "MXFP4 in a layer of its own",
                                "lutc reads the stacked experts of gpt-oss, <name>_blocks and <name>_scales");
  config.keep("modules_to_not_convert");
}

const Quantizer mxfp4 = {"mxfp4", readMxfp4};

} // namespace lut

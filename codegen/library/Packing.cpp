#include "codegen/library/Packing.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/xxhash.h"

using namespace lut;

std::vector<float> lut::codeValues(const Format &format) {
  std::vector<float> values;
  for (int code = 0; code < format.row->codes(); ++code)
    values.push_back(format.hasPlainCodes() ? float(code)
                                            : float(format.row->value(code)) / float(format.row->divisor));
  return values;
}

static_assert(longestFormatName <= sizeof(lutc_packed_header::format), "names of formats would be cut");

void lut::fillKernelInfo(lutc_kernel_info &info, int64_t n, int64_t k, const Format &format) {
  info.n = n;
  info.k = k;
  info.group = format.group ? format.group : k; // of an open k: 0
  info.subgroup = format.subgroup;
  info.multiple_bits = format.multipleBits();
  info.codes = format.row->codes();
  info.scales_per_tensor = format.perTensor;
  info.scale_type = rowOf(format.scaleType).bits.number;
  info.has_zero_points = format.zeroPoints;
  info.has_minimums = format.minimums;
  info.has_columns = format.permuted;
  info.book = format.row->vectors;
}

lutc_kernel_info lut::kernelInfo(int64_t n, int64_t k, const Format &format) {
  lutc_kernel_info info = {};
  fillKernelInfo(info, n, k, format);
  return info;
}

lutc_layout lut::layoutOf(const Geometry &g) {
  const lutc_body body = g.contract();
  return lutc_layout_of(&body, &g.shape);
}

uint32_t lut::layoutId(const lutc_layout &layout) { return lutc_layout_id(&layout); }

uint64_t lut::libraryHash(llvm::ArrayRef<KernelSpec> kernels) {
  std::string text;
  for (const KernelSpec &kernel : kernels)
    text += llvm::formatv("{0} {1}x{2} {3}\n", kernel.name, kernel.n, kernel.k, kernel.format.str());
  return llvm::xxh3_64bits(text);
}

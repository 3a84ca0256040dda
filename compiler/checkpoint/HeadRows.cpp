// Queries and keys whose rows llama.cpp's converter has reordered, in the order of transformers.
#include "compiler/checkpoint/WeightRows.h"

using namespace llvm;

namespace lut {

namespace {

class HeadSource : public WeightSource {
public:
  HeadSource(std::unique_ptr<WeightSource> source, int64_t heads)
      : WeightSource(source->name, source->n, source->k, source->format, source->conversion),
        source(std::move(source)), half(n / heads / 2) {}

  Error readRows(int64_t first, const WeightBand &band) const override {
    for (int64_t i = 0; i < band.count; ++i) {
      if (Error problem = source->readRows(interleavedRow(first + i, half), band.row(i)))
        return problem;
    }
    return Error::success();
  }

private:
  const std::unique_ptr<WeightSource> source;
  const int64_t half; // rows of half a head
};

} // namespace

WeightSourceOr separateHalves(const Layer &layer, std::unique_ptr<WeightSource> source, int64_t heads) {
  if (heads < 1 || source->n % (2 * heads))
    return layer.error("has " + Twine(source->n) + " rows, which are no " + Twine(heads) +
                       " heads of two halves; the file is damaged");
  return std::make_unique<HeadSource>(std::move(source), heads);
}

} // namespace lut

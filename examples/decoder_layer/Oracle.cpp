#include "Oracle.h"
#include "reference.h"
#include <set>

using namespace lut::example;
namespace reference = lut::reference;

Oracle::Oracle(const Linear &linear, size_t tokens) {
  const size_t k = linear.info.k;
  const std::set<size_t> spread = {0, tokens / 3, tokens * 2 / 3, tokens - 1};
  sample.assign(spread.begin(), spread.end());
  std::vector<float> x;
  for (size_t token : sample)
    x.insert(x.end(), linear.x.begin() + token * k, linear.x.begin() + (token + 1) * k);
  const lutc_weights weights = linear.weights.view();
  y = reference::product(linear.info, weights, x.data(), k, sample.size());
  exact = reference::floatProduct(linear.info, weights, x.data(), k, sample.size());
}

Comparison Oracle::compare(const Linear &linear, size_t m) const {
  const size_t n = linear.info.n;
  Comparison result = {};
  std::vector<float> got;
  for (size_t i = 0; i < sample.size() && sample[i] < m; ++i)
    got.insert(got.end(), linear.y.begin() + sample[i] * n, linear.y.begin() + (sample[i] + 1) * n);
  for (size_t i = 0; i < got.size(); ++i)
    result.wrong += reference::bitsOf(got[i]) != reference::bitsOf(y[i]);
  result.nmse = reference::nmse(got, {exact.begin(), exact.begin() + got.size()});
  return result;
}

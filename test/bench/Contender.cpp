#include "Contender.h"
#include <random>
#include <sstream>

using namespace lut::bench;

Problem::Problem(Shape shape, size_t tokens) : shape(shape), rows(period * shape.k), x(tokens * shape.k) {
  std::mt19937_64 random(shape.n * 131071 + shape.k);
  std::normal_distribution<float> normal;
  for (float &value : rows)
    value = normal(random);
  for (float &value : x)
    value = normal(random);
}

std::vector<size_t> lut::bench::sampleTokens(size_t m) {
  std::vector<size_t> tokens;
  for (size_t token = 0; token < m; token += std::max<size_t>(1, m / 6))
    tokens.push_back(token);
  if (tokens.back() != m - 1)
    tokens.push_back(m - 1);
  return tokens;
}

std::string Contender::check(size_t m) {
  const auto [n, k] = problem->shape;
  const std::vector<float> w = dequantized();
  double error = 0, power = 0;
  for (size_t token : sampleTokens(m)) {
    double exact[period] = {};
    for (size_t row = 0; row < period; ++row)
      for (size_t i = 0; i < k; ++i)
        exact[row] += double(w[row * k + i]) * problem->x[token * k + i];
    for (size_t row = 0; row < n; ++row) {
      const double difference = y[token * n + row] - exact[row % period];
      error += difference * difference;
      power += exact[row % period] * exact[row % period];
    }
  }
  nmse = error / power;
  if (nmse < bound()) // false for NaN
    return "";
  std::ostringstream reason;
  reason << "wrong result: NMSE " << nmse << " at m = " << m << ", bound " << bound();
  return reason.str();
}

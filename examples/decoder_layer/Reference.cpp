#include "Reference.h"
#include "reference.h"
#include <cmath>

using namespace lut::example;

namespace {

using Rows = std::vector<double>; // [m][size]

struct Layer64 {
  const Decoder &decoder;
  size_t m;
  std::string group;

  // The group's norm called `name`, where it has one.
  Rows norm(Rows x, const std::string &name) const {
    const std::vector<float> *weight = decoder.vector(group, name + "_weight");
    for (size_t token = 0; weight && token < m; ++token) {
      double *row = x.data() + token * weight->size(), sum = 0;
      for (size_t i = 0; i < weight->size(); ++i)
        sum += row[i] * row[i];
      const double factor = 1 / std::sqrt(sum / weight->size() + decoder.shape.normEpsilon);
      for (size_t i = 0; i < weight->size(); ++i)
        row[i] *= factor * (*weight)[i];
    }
    return x;
  }

  Rows product(const Rows &x, const char *kernel) const {
    const Linear &linear = *decoder.linear(kernel);
    const std::vector<float> rounded(x.begin(), x.end());
    Rows y =
        lut::reference::floatProduct(linear.info, linear.weights.view(), rounded.data(), linear.info.k, m);
    if (const std::vector<float> *bias = decoder.vector(group, std::string(kernel) + "_bias"))
      for (size_t i = 0; i < y.size(); ++i)
        y[i] += (*bias)[i % linear.info.n];
    return y;
  }

  void rope(Rows &rows, size_t heads) const {
    const Shape &s = decoder.shape;
    const size_t half = s.headDim / 2;
    for (size_t row = 0; row < m * heads; ++row) {
      double *head = rows.data() + row * s.headDim, sum = 0;
      for (size_t i = 0; i < s.headDim; ++i)
        sum += head[i] * head[i];
      for (size_t i = 0; i < s.headDim && s.qkNorm; ++i)
        head[i] /= std::sqrt(sum / s.headDim + 1e-6);
      for (size_t i = 0; i < half; ++i) {
        const double angle = double(row / heads) * std::pow(s.ropeTheta, -double(i) / half);
        const double a = head[i], b = head[i + half];
        head[i] = a * std::cos(angle) - b * std::sin(angle);
        head[i + half] = b * std::cos(angle) + a * std::sin(angle);
      }
    }
  }

  Rows attention(const Rows &q, const Rows &k, const Rows &v) const {
    const Shape &s = decoder.shape;
    const size_t d = s.headDim;
    Rows out(q.size());
    for (size_t token = 0; token < m; ++token)
      for (size_t head = 0; head < s.heads; ++head) {
        const size_t kvHead = head / (s.heads / s.kvHeads);
        double sum = 0;
        double *row = out.data() + (token * s.heads + head) * d;
        for (size_t other = 0; other <= token; ++other) {
          double score = 0;
          for (size_t i = 0; i < d; ++i)
            score += q[(token * s.heads + head) * d + i] * k[(other * s.kvHeads + kvHead) * d + i];
          const double weight = std::exp(score / std::sqrt(double(d)));
          sum += weight;
          for (size_t i = 0; i < d; ++i)
            row[i] += weight * v[(other * s.kvHeads + kvHead) * d + i];
        }
        for (size_t i = 0; i < d; ++i)
          row[i] /= sum;
      }
    return out;
  }
};

double activate(const std::string &kind, double x) {
  if (kind == "relu2")
    return x < 0 ? 0 : x * x;
  if (kind == "gelu")
    return x / (1 + std::exp(-2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  return x / (1 + std::exp(-x));
}

} // namespace

std::vector<double> lut::example::referenceLayer(const Decoder &decoder, const std::vector<float> &x,
                                                 size_t m) {
  Rows residual(x.begin(), x.end());
  const auto add = [&](const Rows &y) {
    for (size_t i = 0; i < y.size(); ++i)
      residual[i] += y[i];
  };
  Layer64 layer{decoder, m, "attention_in"};
  const Rows normed = layer.norm(residual, "norm");
  Rows q = layer.product(normed, "q_proj"), k = layer.product(normed, "k_proj");
  layer.rope(q, decoder.shape.heads);
  layer.rope(k, decoder.shape.kvHeads);
  const Rows attended = layer.attention(q, k, layer.product(normed, "v_proj"));
  layer.group = "attention_out";
  add(layer.product(layer.norm(attended, "norm"), "o_proj"));
  layer.group = "ffn";
  const Rows input = layer.norm(residual, "norm"), up = layer.product(input, "up_proj");
  Rows gate = layer.product(input, "gate_proj");
  for (size_t i = 0; i < gate.size(); ++i)
    gate[i] = activate(decoder.shape.activation, gate[i]) * up[i];
  add(layer.product(layer.norm(gate, "sub_norm"), "down_proj"));
  return residual;
}

double lut::example::layerError(const std::vector<float> &x, const std::vector<float> &y,
                                const std::vector<double> &exact) {
  double error = 0, power = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    error += (y[i] - exact[i]) * (y[i] - exact[i]);
    power += (exact[i] - x[i]) * (exact[i] - x[i]);
  }
  return error / power;
}

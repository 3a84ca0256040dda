// What the benchmark times: an implementation of Y[m,n] = X[m,k] * W[n,k]^T with one type of weights.
#ifndef LUT_BENCH_CONTENDER_H
#define LUT_BENCH_CONTENDER_H

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace lut::bench {

struct Shape {
  size_t n, k;
  std::string name() const { return std::to_string(n) + "x" + std::to_string(k); }
};

// The rows of W repeat with this period, a prime that fits no tile: all of Y is compared with few products.
constexpr size_t period = 61;

// What all contenders multiply; each quantizes the same weights its own way.
struct Problem {
  Problem(Shape shape, size_t tokens);
  // The distinct row that stands in row n of W.
  const float *row(size_t n) const { return rows.data() + n % period * shape.k; }

  Shape shape;
  std::vector<float> rows; // [period][k], unit normal
  std::vector<float> x;    // [tokens][k], unit normal
};

class Contender {
public:
  Contender(std::string peer, std::string type, std::string weights)
      : peer(std::move(peer)), type(std::move(type)), weights(std::move(weights)) {}
  virtual ~Contender() = default;
  std::string name() const { return peer + " " + type; }

  // Quantizes the weights of a problem that outlives the timing. Empty, or why it cannot.
  virtual std::string bind(const Problem &problem, size_t threads) = 0;
  // Bytes of one stored copy of W, as read by a product.
  virtual size_t copyBytes() const = 0;
  // Stores batches * calls copies of W.
  virtual void store(size_t batches, size_t calls) = 0;
  // Frees them.
  virtual void release() = 0;
  // Prepares runs with m tokens.
  virtual void begin(size_t m, bool hot) = 0;
  // `calls` products, each with the next copy of the batch; with hot weights all with the first copy of all.
  virtual void run(size_t batch) = 0;
  // Compares the Y of the last run with the contender's definition: empty, or what is wrong.
  virtual std::string check(size_t m);

  const std::string peer, type;
  const std::string weights; // the kind that it competes in: 1, ternary, 2, 3, 4, 8, float; or machine
  double nmse = 0;           // of the last check

protected:
  // [period][k]: the values that the quantized weights stand for.
  virtual std::vector<float> dequantized() const { return {}; }
  virtual double bound() const { return 2e-4; } // of the NMSE; int8 activations: 1e-5 to 8e-5

  const Problem *problem = nullptr;
  std::vector<float> y; // [tokens][n]
};

// What could not be run, and why; `shapes` is empty where no shape can.
struct Missing {
  std::string name, reason;
  std::vector<std::string> shapes;
};

// What a format of lutc competes with: "ternary", or its bits.
std::string weightsOf(const std::string &format);
// Numerics classes that have it.
std::vector<std::string> classesOf(const std::string &format);

struct Settings {
  std::string library; // shared library of lutc's kernels
  std::string npm;     // directory with node_modules
  std::string variant; // the instruction set that all are held to; empty: the best
  std::vector<std::string> formats;
};

// Whether one of the formats is of this kind.
bool competes(const Settings &settings, const std::string &weights);

using Contenders = std::vector<std::unique_ptr<Contender>>;

// Adds what a peer offers, and names what it lacks.
struct Peer {
  const char *name;
  void (*open)(const Settings &settings, Contenders &contenders, std::vector<Missing> &missing);
};

void openLutc(const Settings &settings, Contenders &contenders, std::vector<Missing> &missing);
void openGgml(const Settings &settings, Contenders &contenders, std::vector<Missing> &missing);
void openOnnxRuntime(const Settings &settings, Contenders &contenders, std::vector<Missing> &missing);
void openOpenBlas(const Settings &settings, Contenders &contenders, std::vector<Missing> &missing);
void openOneDnn(const Settings &settings, Contenders &contenders, std::vector<Missing> &missing);
void openMachine(const Settings &settings, Contenders &contenders, std::vector<Missing> &missing);

// Tokens that checks look at: the first, the last, and some between.
std::vector<size_t> sampleTokens(size_t m);

} // namespace lut::bench

#endif

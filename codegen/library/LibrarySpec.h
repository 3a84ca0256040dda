// What a library is to be: the request that config readers produce and the back ends fulfil.
#ifndef LUT_CODEGEN_LIBRARY_LIBRARYSPEC_H
#define LUT_CODEGEN_LIBRARY_LIBRARYSPEC_H

#include "dialects/lut/Format.h"
#include <optional>
#include <string>
#include <vector>

namespace lut {

// A place in the user's file, 1-based; line 0: none (the value came from the command line).
struct SourcePosition {
  std::string file;
  unsigned line = 0, column = 0;
};

struct KernelSpec {
  std::string name;     // a C identifier: q_proj
  int64_t n = 0, k = 0; // 0: open, made at run time
  Format format;
  std::string numerics = "auto"; // auto, a8 or t8
  std::string strategy = "auto"; // auto, dot or lookup
  double errorBudget = 1e-4;     // NMSE against the float product that `auto` numerics may spend
  SourcePosition position;
  std::string schedule; // #lut.schedule<...> for every target, kept apart from others' code; empty: chosen
  std::vector<std::string> modules; // patterns of the modules that it computes; empty: projections say it

  bool isOpen() const { return n == 0; }
  bool needsTables() const { return numerics == "t8" || strategy == "lookup"; }
};

struct StepRow;

// One step of a group, on the values that the steps before it leave.
struct GroupStep {
  const StepRow *row = nullptr; // of Steps.h; null: products, one value becomes a result for each kernel
  std::string word;             // rms, silu, residual
  int64_t number = 0;           // of a row without words: a rotation's block
  std::string name;             // of its operands in the generated header: norm, residual
  double epsilon = 0;           // of a norm
  std::vector<size_t> kernels;  // of products
  SourcePosition position;
};

// Products with what lies between them, behind one entry point.
struct GroupSpec {
  std::string name; // a C identifier
  std::vector<GroupStep> steps;
  int64_t experts = 0, top = 0; // every token passes the products of `top` of so many experts; 0: no experts
  SourcePosition position;
};

// A group of the model's family that this model does not get, and why.
struct WithheldGroup {
  std::string name, reason;
};

// Measured: the fastest schedule of one product on one target.
struct TunedSchedule {
  std::string target;          // row of the target table
  std::string product;         // Product::name
  std::string schedule;        // #lut.schedule<...>
  double alone = 0, batch = 0; // microseconds of a token alone, its weights cold, and of one token of a batch
  SourcePosition position;
};

// Which kernel computes one projection of the model: layers [first, last] of `projection`.
struct ProjectionSpec {
  std::string projection; // model.layers.{layer}.self_attn.q_proj, or a whole name outside the layers
  int64_t first = 0, last = 0;
  int64_t copies = 1; // experts that share the shape
  std::string kernel; // empty: not compiled, for the reason below
  std::string reason; // why it is not compiled: kept in float by the checkpoint, not asked for
  int64_t n = 0, k = 0;
};

// What an engine needs to know of the model besides its products.
struct ModelShape {
  int64_t layers = 0, hidden = 0, heads = 0, kvHeads = 0, headDim = 0, vocabulary = 0;
  double ropeTheta = 10000, normEpsilon = 0; // epsilon 0: not in the config, no group has a norm
  std::string activation;                    // of lut.activate; empty: one that it lacks
  bool qkNorm = false;                       // attention normalizes queries and keys
};

struct LibrarySpec;

// As in `x -> rms norm -> q, k, v`.
std::string describeGroup(const LibrarySpec &library, const GroupSpec &group);

struct LibrarySpec {
  std::string name;      // a C identifier, prefix of every symbol
  std::string modelType; // model_type of a Hugging Face config; empty for a kernel list
  ModelShape model;      // of that config
  std::vector<KernelSpec> kernels;
  std::vector<GroupSpec> groups;
  std::vector<WithheldGroup> withheld;
  std::vector<ProjectionSpec> projections;
  std::vector<std::string> variants; // names of rows of the target table; empty: decided by the command line
  std::vector<std::string> inputs;   // paths of the files that say all this
  std::vector<TunedSchedule> tuning; // empty: the cost model decides
};

} // namespace lut

#endif

// What a library is to be: the request that config readers produce and the back ends fulfil.
#ifndef LUT_CODEGEN_LIBRARYSPEC_H
#define LUT_CODEGEN_LIBRARYSPEC_H

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
  std::string name; // a C identifier: q_proj
  int64_t n = 0, k = 0;
  Format format;
  std::string numerics = "auto"; // auto, a8 or t8
  std::string strategy = "auto"; // auto, dot or lookup
  double errorBudget = 1e-4;     // NMSE against the float product that `auto` numerics may spend
  SourcePosition position;
  std::string schedule; // #lut.schedule<...> for every target, kept apart from others' code; empty: chosen
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

struct LibrarySpec {
  std::string name;      // a C identifier, prefix of every symbol
  std::string modelType; // model_type of a Hugging Face config; empty for a kernel list
  std::vector<KernelSpec> kernels;
  std::vector<ProjectionSpec> projections;
  std::vector<std::string> variants; // names of rows of the target table; empty: decided by the command line
  std::vector<TunedSchedule> tuning; // empty: the cost model decides
};

} // namespace lut

#endif

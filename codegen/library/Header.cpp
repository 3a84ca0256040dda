#include "codegen/library/Descriptors.h"
#include "codegen/library/GroupFunction.h"
#include "codegen/library/RuntimeFiles.h"
#include "codegen/library/Writers.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace lut;

/// One sentence on the weights, as in `2-bit codes, one f16 scale and u8 zero point for 128 along k`.
static std::string describe(const Format &format) {
  std::string text = format.row->vectors
                         ? llvm::formatv("vectors of {0} codes of a book", format.row->vectors->length).str()
                     : format.row->trits ? "ternary codes 0 .. 2"
                                         : llvm::formatv("{0}-bit codes", format.row->bits).str();
  llvm::StringRef scale = nameOf(format.scaleType);
  text += (", one " + scale + " scale").str();
  text += format.zeroPoints ? " and u8 zero point"
          : format.minimums ? (" and " + scale + " minimum").str()
                            : "";
  text += format.perTensor ? " for the tensor"
          : !format.group  ? " for a row"
                           : llvm::formatv(" for {0} along k", format.group).str();
  if (format.subgroup)
    text += llvm::formatv(", times {0}-bit multiples for {1}", format.multipleBits(), format.subgroup);
  return text + (format.permuted ? ", permuted columns" : "");
}

using Programs = llvm::SmallVector<const PlannedProgram *>;

/// The macro that bounds the scratch of programs: it grows by the most that any of them takes for a token, up
/// to the most that any of them takes at all.
static void writeScratch(llvm::raw_ostream &out, llvm::StringRef macro, const Programs &programs) {
  int64_t bytes = 1, fixed = 0, most = 0;
  for (const PlannedProgram *program : programs) {
    bytes = std::max(bytes, program->scratchBytes);
    fixed = std::max(fixed, program->fixedBytes());
    most = std::max(most, program->tokenBlock * program->scratchBytes + program->fixedBytes());
  }
  int64_t tokens = llvm::divideCeil(most - fixed, bytes); // from here on the most
  out << "#define " << macro << "_SCRATCH_BYTES(m) \\\n  ((m) < " << tokens << " ? LUTC_CAST(size_t, m) * "
      << bytes << (fixed ? " + " + std::to_string(fixed) : "") << " : LUTC_CAST(size_t, " << most << "))\n";
}

static Programs programsOf(const Product &product) {
  return Programs(llvm::make_pointer_range(
      llvm::map_range(product.variants, [](auto &variant) -> auto & { return variant.program; })));
}
static Programs programsOf(const Group &group) { return Programs(llvm::make_pointer_range(group.variants)); }

/// A name with {layer} and {expert} as printf and snprintf take it: %d.
static std::string printfPattern(llvm::StringRef name) {
  std::string pattern;
  while (!name.empty()) {
    if (name.consume_front("{layer}") || name.consume_front("{expert}")) {
      pattern += "%d";
      continue;
    }
    char c = name.front();
    pattern += c == '%' ? "%%" : llvm::StringRef(&c, 1);
    name = name.drop_front();
  }
  return pattern;
}

/// How packed files call the weights of a kernel. Kernels for several modules of a layer have a list.
static void writeTensors(llvm::raw_ostream &out, const LibrarySpec &library, const KernelSpec &kernel,
                         llvm::StringRef macro) {
  std::vector<std::string> patterns;
  for (const ProjectionSpec &projection : library.projections)
    if (std::string name = printfPattern(projection.projection + ".weight");
        projection.kernel == kernel.name && !llvm::is_contained(patterns, name))
      patterns.push_back(std::move(name));
  if (patterns.empty())
    return;
  out << "#define " << macro << (patterns.size() == 1 ? "_TENSOR " : "_TENSORS \\\n  {");
  llvm::ListSeparator comma;
  for (const std::string &pattern : patterns) {
    out << comma << '"';
    llvm::printEscapedString(pattern, out);
    out << '"';
  }
  out << (patterns.size() == 1 ? "\n" : "}\n");
}

static void writeKernel(llvm::raw_ostream &out, const LibraryPlan &plan, size_t kernel) {
  const KernelSpec &spec = plan.library.kernels[kernel];
  const Product &product = plan.product(kernel);
  std::string name = plan.library.name + "_" + spec.name, macro = llvm::StringRef(name).upper();
  int64_t packed = 0;
  for (const ProductVariant &variant : product.variants)
    packed = std::max(packed, packedBytes(variant.geometry));
  if (spec.isOpen()) {
    out << llvm::formatv(
        "\n/* {0}: Y[m,n] = X[m,k] * W[n,k]^T in class {1}, of any n and k: lutc_make_kernel.\n"
        "   W is {2}: {3}. */\nextern const lutc_kernel {4}_kernel;\n",
        spec.name, stringifyNumerics(product.numerics), spec.format.str(), describe(spec.format), name);
    return;
  }
  out << llvm::formatv("\n/* {0}: Y[m,{1}] = X[m,{2}] * W[{1},{2}]^T in class {3}.\n   W is {4}: {5}. */\n",
                       spec.name, spec.n, spec.k, stringifyNumerics(product.numerics), spec.format.str(),
                       describe(spec.format));
  out << "#define " << macro << "_N " << spec.n << "\n#define " << macro << "_K " << spec.k << "\n"
      << "/* Bounds over all variants; lutc_packed_bytes and lutc_scratch_bytes are exact for the one in "
         "use. */\n"
      << "#define " << macro << "_PACKED_BYTES LUTC_CAST(size_t, " << packed << ")\n";
  writeScratch(out, macro, programsOf(product));
  writeTensors(out, plan.library, spec, macro);
  out << "extern const lutc_kernel " << name << "_kernel;\n"
      << "LUTC_MUST_USE static inline lutc_status " << name
      << "_pack(const lutc_weights *weights, void *packed, size_t packed_bytes) {\n  return lutc_pack(&"
      << name << "_kernel, weights, packed, packed_bytes);\n}\n"
      << "LUTC_MUST_USE static inline lutc_status " << name
      << "(size_t m, const float *x, size_t ldx, const void *packed, float *y,\n    size_t ldy, void "
         "*scratch, "
         "size_t scratch_bytes, const lutc_parallel *parallel) {\n  return lutc_run(&"
      << name << "_kernel, m, x, ldx, packed, y, ldy, scratch, scratch_bytes, parallel);\n}\n";
}

static bool hasRows(Slot::Kind kind) {
  return kind == Slot::Kind::rows || kind == Slot::Kind::result || kind == Slot::Kind::routes;
}

/// Of a parameter, up to its name.
static const char *typeOf(const GroupOperand &operand) {
  static const char *const results[] = {"float *", "uint16_t *", "uint16_t *", "int8_t *"};
  switch (operand.kind) {
  case Slot::Kind::weights:
    return "const void *";
  case Slot::Kind::experts:
    return "const void *const *";
  case Slot::Kind::routes:
    return "const int32_t *";
  case Slot::Kind::result:
    return results[size_t(operand.type)];
  default:
    return "const float *";
  }
}

/// Of an operand in the comment above a group; packed weights have their kernel's.
static std::string shapeOf(const GroupOperand &operand, const GroupSpec &group) {
  switch (operand.kind) {
  case Slot::Kind::weights:
    return "";
  case Slot::Kind::experts:
    return llvm::formatv("[{0}]", group.experts);
  case Slot::Kind::vector:
    return llvm::formatv("[{0}]", operand.size);
  default:
    return llvm::formatv("[m,{0}]", operand.size);
  }
}

static void writeGroup(llvm::raw_ostream &out, const LibraryPlan &plan, size_t index) {
  const GroupSpec &spec = plan.library.groups[index];
  const Group &group = plan.groups[index];
  std::string name = plan.library.name + "_" + spec.name, macro = llvm::StringRef(name).upper();
  out << "\n/* " << spec.name << ": " << describeGroup(plan.library, spec)
      << ". Rows have strides, as in lutc_run.\n  ";
  for (const GroupOperand &operand : group.operands)
    out << " " << operand.name << shapeOf(operand, spec);
  out << " */\n";
  writeScratch(out, macro, programsOf(group));
  out << "extern const lutc_group " << name << "_group;\nLUTC_MUST_USE static inline lutc_status " << name
      << "(size_t m";
  std::string operands;
  for (const GroupOperand &operand : group.operands) {
    bool rows = hasRows(operand.kind);
    out << ",\n    " << typeOf(operand) << operand.name;
    if (rows)
      out << ", size_t ld" << operand.name;
    operands +=
        (operands.empty() ? "{" : ", {") + operand.name + (rows ? ", ld" + operand.name + "}" : ", 0}");
  }
  out << ",\n    void *scratch, size_t scratch_bytes, const lutc_parallel *parallel) {\n  const lutc_operand "
         "operands[] = {"
      << operands << "};\n  return lutc_run_group(&" << name
      << "_group, m, operands, scratch, scratch_bytes, parallel);\n}\n";
}

static void writeModel(llvm::raw_ostream &out, const LibrarySpec &library) {
  const ModelShape &model = library.model;
  std::string macro = llvm::StringRef(library.name).upper();
  out << "\n/* The " << library.modelType
      << " model of the config. <KERNEL>_TENSOR names its weights in a packed model, for printf with the "
         "layer\n"
         "   and, of experts, the expert. Rows of queries and keys are in the order of Hugging Face, "
         "whatever\n"
         "   the checkpoint: rotary embeddings turn elements i and i + d/2 of the d of a head that rotate, "
         "by\n"
         "   position * ROPE_THETA^(-2i/d). */\n";
  const std::pair<const char *, int64_t> sizes[] = {
      {"LAYERS", model.layers},    {"HIDDEN", model.hidden},    {"HEADS", model.heads},
      {"KV_HEADS", model.kvHeads}, {"HEAD_DIM", model.headDim}, {"VOCABULARY", model.vocabulary},
      {"QK_NORM", model.qkNorm}};
  for (auto [name, size] : sizes)
    out << "#define " << macro << "_" << name << " " << size << "\n";
  out << llvm::formatv(
      "#define {0}_ROPE_THETA {1:F1}\n#define {0}_NORM_EPSILON {2:E}\n#define {0}_ACTIVATION \"{3}\"\n",
      macro, model.ropeTheta, model.normEpsilon, model.activation);
}

static void writeLibraryScratch(llvm::raw_ostream &out, const LibraryPlan &plan) {
  Programs programs;
  for (const Product &product : plan.products)
    if (!product.open)
      programs.append(programsOf(product));
  for (const Group &group : plan.groups)
    programs.append(programsOf(group));
  if (programs.empty()) // kernels of open shapes alone
    return;
  out << "\n/* Enough scratch for m tokens of any kernel or group; lutc_library_scratch_bytes is exact. */\n";
  writeScratch(out, llvm::StringRef(plan.library.name).upper(), programs);
}

std::string lut::writeHeader(const LibraryPlan &plan, llvm::StringRef configHash) {
  const std::string &name = plan.library.name;
  std::string text, guard = llvm::StringRef(name).upper() + "_H";
  llvm::raw_string_ostream out(text);
  out << "/* " << name << ".h: written by lutc " << LUTC_VERSION << " for config " << configHash << ".\n"
      << "   Link lib" << name << ".a. Variants, best first:";
  for (const TargetRow *row : plan.targets)
    out << ' ' << row->name;
  out << ". */\n#ifndef " << guard << "\n#define " << guard << "\n\n" << runtimeHeader();
  out << "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\nLUTC_PUBLIC_BEGIN\n\nextern const lutc_library "
      << name << "_library;\n";
  if (!plan.library.modelType.empty())
    writeModel(out, plan.library);
  writeLibraryScratch(out, plan);
  for (size_t kernel = 0; kernel < plan.library.kernels.size(); ++kernel)
    writeKernel(out, plan, kernel);
  for (size_t group = 0; group < plan.library.groups.size(); ++group)
    writeGroup(out, plan, group);
  out << "\nLUTC_PUBLIC_END\n#ifdef __cplusplus\n}\n#endif\n#endif\n";
  return text;
}

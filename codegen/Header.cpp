#include "codegen/Descriptors.h"
#include "codegen/GroupFunction.h"
#include "codegen/RuntimeFiles.h"
#include "codegen/Writers.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace lut;

/// One sentence on the weights, as in `2-bit codes, one f16 scale and u8 zero point for 128 along k`.
static std::string describe(const Format &format) {
  std::string text =
      format.row->trits ? "ternary codes 0 .. 2" : llvm::formatv("{0}-bit codes", format.row->bits).str();
  llvm::StringRef scale = nameOf(format.scaleType);
  text += (", one " + scale + " scale").str();
  text += format.zeroPoints ? " and u8 zero point"
          : format.minimums ? (" and " + scale + " minimum").str()
                            : "";
  text += format.perTensor ? " for the tensor"
          : !format.group  ? " for a row"
                           : llvm::formatv(" for {0} along k", format.group).str();
  if (format.subgroup)
    text += llvm::formatv(", times i8 multiples for {0}", format.subgroup);
  return text + (format.permuted ? ", permuted columns" : "");
}

/// The macro that bounds the scratch of all variants.
static void writeScratch(llvm::raw_ostream &out, llvm::StringRef macro,
                         llvm::ArrayRef<const PlannedProgram *> programs) {
  int64_t tokens = 0, bytes = 0, fixed = 0;
  for (const PlannedProgram *program : programs) {
    tokens = std::max(tokens, program->tokenBlock);
    bytes = std::max(bytes, program->scratchBytes);
    fixed = std::max(fixed, program->fixedBytes());
  }
  out << "#define " << macro << "_SCRATCH_BYTES(m) \\\n  ((size_t)((m) < " << tokens << " ? (m) : " << tokens
      << ") * " << bytes;
  if (fixed)
    out << " + " << fixed;
  out << ")\n";
}

static void writeKernel(llvm::raw_ostream &out, const LibraryPlan &plan, size_t kernel) {
  const KernelSpec &spec = plan.library.kernels[kernel];
  const Product &product = plan.product(kernel);
  std::string name = plan.library.name + "_" + spec.name, macro = llvm::StringRef(name).upper();
  int64_t packed = 0;
  llvm::SmallVector<const PlannedProgram *> programs;
  for (const ProductVariant &variant : product.variants) {
    packed = std::max(packed, packedBytes(variant.geometry));
    programs.push_back(&variant.program);
  }
  out << llvm::formatv("\n/* {0}: Y[m,{1}] = X[m,{2}] * W[{1},{2}]^T in class {3}.\n   W is {4}: {5}. */\n",
                       spec.name, spec.n, spec.k, stringifyNumerics(product.numerics), spec.format.str(),
                       describe(spec.format));
  out << "#define " << macro << "_N " << spec.n << "\n#define " << macro << "_K " << spec.k << "\n"
      << "/* Bounds over all variants; lutc_packed_bytes and lutc_scratch_bytes are exact for the one in "
         "use. */\n"
      << "#define " << macro << "_PACKED_BYTES ((size_t)" << packed << ")\n";
  writeScratch(out, macro, programs);
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

static void writeGroup(llvm::raw_ostream &out, const LibraryPlan &plan, size_t index) {
  const GroupSpec &spec = plan.library.groups[index];
  const Group &group = plan.groups[index];
  std::string name = plan.library.name + "_" + spec.name, macro = llvm::StringRef(name).upper();
  llvm::SmallVector<const PlannedProgram *> programs;
  for (const PlannedProgram &program : group.variants)
    programs.push_back(&program);
  out << "\n/* " << spec.name << ": " << describeGroup(plan.library, spec)
      << ". Rows have strides, as in lutc_run.\n  ";
  for (const GroupOperand &operand : group.operands)
    if (operand.kind != Slot::Kind::weights && operand.kind != Slot::Kind::experts)
      out << " " << operand.name << (operand.kind == Slot::Kind::vector ? "[" : "[m,") << operand.size << "]";
  out << " */\n";
  writeScratch(out, macro, programs);
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
  out << "\n/* The " << library.modelType << " model of the config. */\n";
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

std::string lut::writeHeader(const LibraryPlan &plan, llvm::StringRef configHash) {
  const std::string &name = plan.library.name;
  std::string text, guard = llvm::StringRef(name).upper() + "_H";
  llvm::raw_string_ostream out(text);
  out << "/* " << name << ".h: written by lutc " << LUTC_VERSION << " for config " << configHash << ".\n"
      << "   Link lib" << name << ".a. Variants, best first:";
  for (const TargetRow *row : plan.targets)
    out << ' ' << row->name;
  out << ". */\n#ifndef " << guard << "\n#define " << guard << "\n\n" << runtimeHeader();
  out << "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\nextern const lutc_library " << name
      << "_library;\n";
  if (!plan.library.modelType.empty())
    writeModel(out, plan.library);
  for (size_t kernel = 0; kernel < plan.library.kernels.size(); ++kernel)
    writeKernel(out, plan, kernel);
  for (size_t group = 0; group < plan.library.groups.size(); ++group)
    writeGroup(out, plan, group);
  out << "\n#ifdef __cplusplus\n}\n#endif\n#endif\n";
  return text;
}

#include "compiler/Lists.h"

#include "codegen/library/Pipeline.h"
#include "codegen/targets/Targets.h"
#include "compiler/families/Families.h"
#include "compiler/simulate/MachineReader.h"
#include "dialects/lut/Format.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace lut {

Table targetTable() {
  Table table{{"target", "summary", "features"}, {}};
  for (const TargetRow &row : targetRows())
    table.rows.push_back({row.name, row.summary, row.features});
  return table;
}

Table machineTable() {
  Table table{{"machine", "summary", "peak TOPS", "mm2 of a core", "registers"}, {}};
  lmma::Costs costs = readCosts();
  for (const std::string &name : machineNames()) {
    SourceMgr sources;
    std::optional<lmma::Machine> machine = readMachine(name, sources);
    if (!machine)
      report_fatal_error("a carried machine is not valid");
    int64_t passes = machine->array.weights.passes();
    table.rows.push_back({name, machine->summary, machine->peak(passes), lmma::tensorArea(costs, *machine),
                          std::to_string(machine->registerMultiple) + "x"});
  }
  return table;
}

static std::string codeBook(const FormatRow &row) {
  auto value = [&](int code) {
    std::string text;
    raw_string_ostream(text) << format("%g", double(row.value(code)) / row.divisor);
    return text;
  };
  std::string text;
  for (int code = 0; code < row.codes(); ++code)
    text += (code ? "," : "") + value(code);
  return "{" + (row.codes() <= 4 || row.book ? text : value(0) + ".." + value(row.codes() - 1)) + "}";
}

static std::string sizes(ArrayRef<int64_t> all) {
  std::string text;
  for (int64_t size : all)
    text += (text.empty() ? "<" : "|") + std::to_string(size);
  return text + ">";
}

Table formatTable() {
  Table table{{"format", "weights", "scales", "zero points or minimums", "columns"}, {}};
  for (const FormatRow &row : formatRows()) {
    std::string name = row.name.str(), book = codeBook(row);
    if (row.trits) {
      table.rows.push_back({name, book, "f32 per tensor", "none", "in order"});
      table.rows.push_back({name + "r", book, "f32 per row", "none", "in order"});
      continue;
    }
    if (row.vectors) {
      table.rows.push_back(
          {name, book,
           formatv("f16 per 256 of k, times odd u{0} per {1}", row.multipleBits + 1, row.subgroup).str(),
           "none", "in order"});
      continue;
    }
    bool even = !row.book;
    std::string p = even ? "[p]" : "", columns = even ? "p: permuted" : "in order";
    table.rows.push_back({name + (even ? "[z]" : "") + "[b|s]" + p, book, "f16 per row, b: bf16, s: f32",
                          even ? "z: u8" : "none", columns});
    table.rows.push_back({name + "g" + sizes(groupSizes()) + (even ? "[e|f|[z|m][b|s]]" : "[e|f|b|s]") + p,
                          book, "f16 per group of k, b: bf16, s: f32, e: e8m0, f: e4m3",
                          even ? "z: u8, m: as scales" : "none", columns});
    std::string bits = std::to_string(Format{&row, 256, 16}.multipleBits()),
                m = (bits == "8" ? "i" : "u") + bits;
    table.rows.push_back({name + "k" + sizes(subgroupSizes()) + (even ? "[m]" : "") + p, book,
                          "f16 per 256 of k, times i" + bits +
                              (even && bits != "8" ? ", with m " + m + "," : "") + " per subgroup",
                          even ? "m: f16 times " + m : "none", columns});
  }
  return table;
}

Table modelTable() {
  Table table{{"model_type", "models"}, {}};
  for (const Family &family : families())
    table.rows.push_back({family.modelType.str(), family.summary.str()});
  return table;
}

Table passTable() {
  mlir::MLIRContext context;
  mlir::PassManager manager(&context, mlir::ModuleOp::getOperationName());
  buildPlanPipeline(manager);
  buildLowerPipeline(manager);
  Table table{{"pass", "summary"}, {}};
  for (mlir::Pass &pass : manager.getPasses())
    table.rows.push_back({pass.getArgument(), pass.getDescription()});
  return table;
}

} // namespace lut

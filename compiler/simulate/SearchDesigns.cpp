#include "compiler/report/Table.h"
#include "compiler/simulate/MachineReader.h"
#include "compiler/simulate/ModelWork.h"
#include "compiler/simulate/Plot.h"
#include "compiler/simulate/Search.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace lut {

static std::string arrayName(const lmma::Array &array) {
  return formatv("m{0}n{1}k{2}", array.m, array.n, array.k);
}

static Table designTable(ArrayRef<lmma::Candidate> designs) {
  Table table{{"array", "arrays", "registers", "tile", "mm2", "mJ", "us", "bound"}, {}};
  for (const lmma::Candidate &design : designs)
    if (design.onFront)
      table.rows.push_back({arrayName(design.array), design.arrays,
                            std::to_string(design.registerMultiple) + "x", design.choice.tile.str(),
                            design.area, design.joules * 1e3, design.seconds * 1e6,
                            lmma::name(design.choice.estimate.bound)});
  return table;
}

static void drawDesigns(ArrayRef<lmma::Candidate> designs, StringRef title, raw_ostream &out) {
  std::vector<Point> points;
  for (const lmma::Candidate &design : designs)
    points.push_back({design.area, design.seconds * 1e6,
                      formatv("{0} x{1}, {2}x registers, {3:f1} mJ", arrayName(design.array), design.arrays,
                              design.registerMultiple, design.joules * 1e3),
                      design.onFront});
  drawPoints(title, "mm2 of a core: arrays and added registers", "us", points, out);
}

Expected<std::string> searchDesigns(const SimulateRequest &request, const lmma::Machine &machine) {
  if (!machine.isLut())
    return createStringError(machine.name + " has no LUT arrays to search; write --machine=a100-lut-4x");
  lmma::SearchSpace space;
  space.machine = machine;
  space.entry = request.activations.value_or(machine.array.entry);
  space.machine.array.entry = space.entry;
  space.machine.array.weights = {};
  Format format = request.options.weights.value_or(cantFail(parseFormat("w2")));
  Expected<lmma::WeightType> weights = weightsOf(format, space.machine);
  if (!weights)
    return weights.takeError();
  space.gemm = gemmOn(space.machine, request);
  space.gemm.m = request.tokens.front();
  space.gemm.n = request.n;
  space.gemm.k = request.k;
  space.gemm.weights = *weights;
  space.mode = request.work.mode;
  space.precompute = request.work.precompute;

  lmma::Costs costs = readCosts();
  std::vector<lmma::Candidate> designs = lmma::search(costs, space);
  std::string densest = arrayName(lmma::densestArray(costs, space));
  std::string title =
      formatv("{0}-bit weights, {1} tables, {2} x {3} x {4} on {5}", weights->planes, lmma::name(space.entry),
              space.gemm.m, space.gemm.n, space.gemm.k, machine.name);
  std::string text;
  raw_string_ostream out(text);
  if (request.format == "svg") {
    drawDesigns(designs, title, out);
  } else if (request.format == "json") {
    json::OStream stream(out, 2);
    stream.object([&] {
      stream.attribute("product", title);
      stream.attribute("designs", int64_t(designs.size()));
      stream.attribute("least area times energy", densest);
      stream.attributeBegin("front");
      designTable(designs).printJson(stream);
      stream.attributeEnd();
    });
    out << "\n";
  } else {
    out << title << "\nleast area times energy: " << densest << "\n"
        << designs.size() << " designs; those that no other beats in area, energy and time:\n\n";
    designTable(designs).print(out, "  ");
  }
  return text;
}

} // namespace lut

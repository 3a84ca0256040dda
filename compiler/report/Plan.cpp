#include "compiler/report/Plan.h"

#include "compiler/report/Table.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace lut {

static std::string counted(int64_t count, StringRef noun) {
  return (Twine(count) + " " + noun + (count == 1 ? "" : "s")).str();
}

static int64_t countMatrices(const ProjectionSpec &projection) {
  return (projection.last - projection.first + 1) * projection.copies;
}

static bool isOpen(const KernelSpec &spec) { return spec.isOpen(); }
static bool isOpen(const ProjectionSpec &) { return false; }

// "  640 x 2560": the n of all rows stand under each other.
template <typename Specs> static SmallVector<std::string> shapes(const Specs &specs) {
  size_t width = 0;
  for (const auto &spec : specs)
    width = std::max(width, isOpen(spec) ? 0 : std::to_string(spec.n).size());
  SmallVector<std::string> texts;
  for (const auto &spec : specs) {
    if (isOpen(spec)) {
      texts.push_back("any");
      continue;
    }
    std::string n = std::to_string(spec.n);
    texts.push_back(std::string(width - n.size(), ' ') + n + " x " + std::to_string(spec.k));
  }
  return texts;
}

static Table kernelTable(const LibrarySpec &library) {
  Table table{{"kernel", "format", "n x k", "numerics", "strategy"}, {}};
  if (!library.projections.empty())
    table.columns.push_back("projections");
  bool namesModules = any_of(library.kernels, [](const KernelSpec &it) { return !it.modules.empty(); });
  if (namesModules)
    table.columns.push_back("modules");
  for (auto [kernel, shape] : zip(library.kernels, shapes(library.kernels))) {
    auto &row = table.rows.emplace_back();
    for (const std::string &cell :
         {kernel.name, kernel.format.str(), shape, kernel.numerics, kernel.strategy})
      row.push_back(cell);
    int64_t count = 0;
    for (const ProjectionSpec &projection : library.projections)
      count += projection.kernel == kernel.name ? countMatrices(projection) : 0;
    if (!library.projections.empty())
      row.push_back(count);
    if (namesModules)
      row.push_back(join(kernel.modules, ", "));
  }
  return table;
}

// model.layers.{0..29}.mlp.gate
static std::string modulePath(const ProjectionSpec &projection) {
  auto [head, tail] = StringRef(projection.projection).split("{layer}");
  if (head.size() == projection.projection.size())
    return projection.projection;
  std::string layers = std::to_string(projection.first);
  if (projection.last != projection.first)
    layers = "{" + layers + ".." + std::to_string(projection.last) + "}";
  return (head + layers + tail).str();
}

static Table choiceTable(const LibrarySpec &library, const Choices &choices) {
  Table table{{"kernel", "numerics"}, {}};
  table.columns.insert(table.columns.end(), choices.targets.begin(), choices.targets.end());
  for (auto [kernel, choice] : zip(library.kernels, choices.kernels)) {
    auto &row = table.rows.emplace_back();
    row.push_back(kernel.name);
    row.push_back(choice.numerics);
    for (const std::string &strategy : choice.strategies)
      row.push_back(strategy);
  }
  return table;
}

void printPlan(const LibrarySpec &library, const Choices &choices, raw_ostream &out) {
  out << "library " << library.name << ": " << counted(library.kernels.size(), "kernel");
  std::vector<ProjectionSpec> others;
  int64_t compiled = 0;
  for (const ProjectionSpec &projection : library.projections) {
    if (projection.kernel.empty())
      others.push_back(projection);
    else
      compiled += countMatrices(projection);
  }
  if (!library.modelType.empty())
    out << " for " << counted(compiled, "projection") << " of a " << library.modelType << " model";
  else if (compiled)
    out << " for " << counted(compiled, "layer");
  out << "\n";
  if (!library.variants.empty())
    out << "variants: " << join(library.variants, ", ") << "\n";
  out << "\n";
  kernelTable(library).print(out);
  if (!others.empty())
    out << "\nnot compiled\n";
  Table table{{"", "", ""}, {}};
  for (auto [projection, shape] : zip(others, shapes(others)))
    table.rows.push_back({modulePath(projection), shape, projection.reason});
  table.print(out, "  ");
  if (!library.groups.empty())
    out << "\ngroups\n";
  Table groups{{"", ""}, {}};
  for (const GroupSpec &group : library.groups)
    groups.rows.push_back({group.name, describeGroup(library, group)});
  groups.print(out, "  ");
  if (!library.withheld.empty())
    out << "\ngroups that are not made\n";
  Table withheld{{"", ""}, {}};
  for (const WithheldGroup &group : library.withheld)
    withheld.rows.push_back({group.name, group.reason});
  withheld.print(out, "  ");
  out << "\nchosen\n";
  choiceTable(library, choices).print(out, "  ");
}

} // namespace lut

#include "compiler/config/Groups.h"
#include "codegen/library/Steps.h"
#include "compiler/config/ConfigKeys.h"
#include "runtime/kernel.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace lut {

namespace {

class GroupReader {
public:
  GroupReader(const LibrarySpec &library, Diagnostics &diagnostics)
      : library(library), diagnostics(diagnostics) {}

  GroupSpec read(const ConfigNode &mapping);

private:
  void readStep(const ConfigNode &mapping);
  void readProducts(const ConfigNode &list, GroupStep &step);
  void readBetween(StringRef verb, const ConfigNode &value, GroupStep &step);
  void readOptions(const ConfigNode &mapping, StringRef verb, GroupStep &step);
  bool needsOne(SMRange where, StringRef verb);
  void name(SMRange where, const std::string &operand);
  StepRow::Operands operandsOf(const GroupStep &step) const;
  void readOperands(SMRange where, StringRef verb, GroupStep &step);
  void checkEnd();

  const LibrarySpec &library;
  Diagnostics &diagnostics;
  GroupSpec group;
  SmallVector<int64_t> sizes;        // of what the steps so far leave
  SmallVector<std::string> products; // their names
  StringSet<> names;                 // of operands
  SMRange last;                      // the last step
  bool multiplied = false, endsWithProducts = false, summed = false, converted = false;
};

} // namespace

// Of the table; afterProducts: those that may stand behind the last ones.
static SmallVector<StringRef> verbs(bool afterProducts) {
  SmallVector<StringRef> names;
  for (const StepRow &row : stepRows())
    if ((!afterProducts || row.place != StepRow::Place::before) && !is_contained(names, row.verb))
      names.push_back(row.verb);
  return names;
}

bool GroupReader::needsOne(SMRange where, StringRef verb) {
  if (sizes.size() == 1)
    return true;
  diagnostics.error(where,
                    "`" + verb + "` takes one value, and the steps before it leave " + Twine(sizes.size()),
                    "write an `activate` step before it, which joins a gate and what it scales");
  sizes.truncate(1);
  products.truncate(1);
  return false;
}

void GroupReader::name(SMRange where, const std::string &operand) {
  if (!names.insert(operand).second)
    diagnostics.error(where, "two operands of group '" + group.name + "' are called '" + operand + "'",
                      "give the step another `name`");
}

StepRow::Operands GroupReader::operandsOf(const GroupStep &step) const {
  StepRow::Operands operands;
  for (auto [value, size] : zip(products, sizes)) {
    append_range(operands, step.row->operandsOf(step, value, size));
    if (step.row->takes != StepRow::Takes::each)
      break;
  }
  return operands;
}

// What the caller gives for a step, under names of its own. Experts share it, or what follows their sum.
void GroupReader::readOperands(SMRange where, StringRef verb, GroupStep &step) {
  auto isTaken = [&](const StepOperand &operand) { return names.contains(operand.name); };
  if (step.name.empty() && !step.row->name.empty()) {
    step.name = step.row->name.str();
    for (int suffix = 2; any_of(operandsOf(step), isTaken); ++suffix)
      step.name = (step.row->name + Twine(suffix)).str();
  }
  bool vectors = false;
  for (const StepOperand &operand : operandsOf(step)) {
    name(where, operand.name);
    vectors |= !operand.isResidual;
    summed |= operand.isResidual && group.top && multiplied;
  }
  if (vectors && group.top && multiplied)
    diagnostics.error(where, "`" + verb + "` has one vector, and experts would need one each",
                      "move the step before the first product");
}

void GroupReader::readProducts(const ConfigNode &list, GroupStep &step) {
  if (!needsOne(list.range, "products"))
    return;
  int64_t k = multiplied ? sizes[0] : 0;
  sizes.clear();
  products.clear();
  for (const ConfigNode &item : list.items) {
    auto kernel = find_if(library.kernels, [&](const KernelSpec &spec) { return spec.name == item.text; });
    if (kernel == library.kernels.end()) {
      SmallVector<StringRef> known(
          map_range(library.kernels, [](auto &spec) { return StringRef(spec.name); }));
      diagnostics.error(item.range, "there is no kernel '" + item.text + "'",
                        suggest(item.text, known) + "the kernels are " + alternatives(known));
      continue;
    }
    if (kernel->isOpen()) {
      diagnostics.error(item.range,
                        "kernel '" + item.text + "' has no n and k, and steps of a group fit each other",
                        "write n and k of the kernel");
      continue;
    }
    if (group.top && kernel->format.permuted)
      diagnostics.error(item.range,
                        "experts share the activations of a token, and each has its columns of " +
                            kernel->format.str() + " in an order of its own",
                        "write a format without p, or call the kernel for each expert, without a group");
    if (k == 0)
      k = kernel->k;
    if (kernel->k != k)
      diagnostics.error(item.range,
                        "kernel '" + item.text + "' takes k = " + Twine(kernel->k) +
                            ", and the steps before it leave " + Twine(k),
                        "write kernels of one k that is the n of what they follow");
    step.kernels.push_back(kernel - library.kernels.begin());
    sizes.push_back(kernel->n);
    products.push_back(item.text);
    name(item.range, item.text + "_packed");
    name(item.range, item.text);
  }
  if (sizes.empty())
    sizes.push_back(0);
  multiplied = true;
}

// What only some steps have.
void GroupReader::readOptions(const ConfigNode &mapping, StringRef verb, GroupStep &step) {
  const ConfigMember *epsilon = mapping.member("epsilon"), *name = mapping.member("name");
  bool hasEpsilon = step.row && step.row->hasEpsilon, hasName = step.row && !step.row->name.empty();
  if (hasEpsilon && !epsilon)
    diagnostics.error(mapping.member(verb)->range, "`" + verb + "` needs an epsilon",
                      "write the model's, as in {norm: rms, epsilon: 1e-5}");
  else if (hasEpsilon)
    step.epsilon = *epsilon->value.number();
  else if (epsilon)
    diagnostics.error(epsilon->range, "`" + verb + "` has no epsilon", "remove it");
  if (name && hasName)
    step.name = name->value.text;
  else if (name)
    diagnostics.error(name->range, "`" + verb + "` has no name", "remove it");
}

// What lies between products.
void GroupReader::readBetween(StringRef verb, const ConfigNode &value, GroupStep &step) {
  step = makeStep(verb, value.text);
  if (step.row->words.empty())
    step.number = *value.integer();
  bool good = true;
  if (step.row->takes == StepRow::Takes::one)
    good = needsOne(value.range, verb);
  if (step.row->takes == StepRow::Takes::gate) {
    good = sizes.size() <= 2 && all_equal(sizes);
    if (!good)
      diagnostics.error(value.range, "`" + verb + "` takes one value, or a gate and what it scales",
                        "write a `products` step of one or two kernels of equal n before it");
    sizes.truncate(1);
    products.truncate(1);
  }
  if (good && step.row->check)
    if (Error problem = step.row->check(step.number, multiplied ? sizes[0] : 0))
      diagnostics.error(value.range, std::move(problem));
}

void GroupReader::readStep(const ConfigNode &mapping) {
  SmallVector<StringRef> known = {"products"}, found;
  append_range(known, verbs(/*afterProducts=*/false));
  copy_if(known, std::back_inserter(found), [&](StringRef verb) { return mapping.member(verb); });
  if (found.size() != 1) {
    diagnostics.error(mapping.range, found.empty() ? "the step does nothing" : "one step does two things",
                      "write one of " + alternatives(known));
    return;
  }
  StringRef verb = found[0];
  const ConfigMember &member = *mapping.member(verb);
  last = member.range;
  if (summed)
    diagnostics.error(last, "the residual is added to the sum of the experts' results",
                      "write it as the last step");
  if (converted)
    diagnostics.error(last, "results have been converted before", "write `convert` as the last step");
  GroupStep step;
  if (verb == "products")
    readProducts(member.value, step);
  else
    readBetween(verb, member.value, step);
  readOptions(mapping, verb, step);
  if (step.row)
    readOperands(last, verb, step);
  bool isLast = step.row && step.row->place == StepRow::Place::last;
  if (isLast && group.top)
    diagnostics.error(last, "the results of experts are added in f32", "remove `" + verb + "`");
  endsWithProducts = !step.row || (endsWithProducts && step.row->place != StepRow::Place::before);
  converted |= isLast;
  step.position = diagnostics.position(mapping.range);
  group.steps.push_back(std::move(step));
}

void GroupReader::checkEnd() {
  if (!multiplied)
    diagnostics.error(last, "group '" + group.name + "' has no product", "add a `products` step");
  else if (!endsWithProducts)
    diagnostics.error(last, "nothing multiplies what this step leaves",
                      "after the last products write only " + alternatives(verbs(/*afterProducts=*/true)) +
                          ", or move the step to the group that reads it");
}

GroupSpec GroupReader::read(const ConfigNode &mapping) {
  const ConfigNode &node = *mapping.find("name");
  group.name = node.text;
  group.position = diagnostics.position(node.range);
  for (StringRef reserved : {"m", "x", "scratch", "scratch_bytes", "parallel", "operands"})
    names.insert(reserved);
  sizes = {0};
  products = {"x"};
  last = node.range;
  if (const ConfigNode *experts = mapping.find("experts")) {
    group.experts = *experts->find("count")->integer();
    group.top = *experts->find("top")->integer();
    for (StringRef operand : {"experts", "gates"})
      names.insert(operand);
  }
  for (const ConfigNode &step : mapping.find("steps")->items)
    readStep(step);
  checkEnd();
  if (group.top && sizes.size() != 1)
    diagnostics.error(last, "the results of experts are added, and the group leaves " + Twine(sizes.size()),
                      "end with one product");
  // The runtime's slots: operands, and for each step at most what it prepares, what that is computed in and
  // gathered to; for each product a buffer, and where its columns are permuted activations of its own.
  size_t slots = names.size() + 3 * group.steps.size();
  for (const GroupStep &step : group.steps)
    for (size_t kernel : step.kernels)
      slots += library.kernels[kernel].format.permuted ? 3 : 1;
  if (slots > LUTC_MAX_SLOTS)
    diagnostics.error(node.range, "group '" + group.name + "' has too many operands", "write two groups");
  return std::move(group);
}

GroupSpec readGroup(const ConfigNode &mapping, const LibrarySpec &library, Diagnostics &diagnostics) {
  return GroupReader(library, diagnostics).read(mapping);
}

} // namespace lut

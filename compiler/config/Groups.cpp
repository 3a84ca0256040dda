#include "compiler/config/Groups.h"
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
  void readOptions(const ConfigNode &mapping, StringRef verb, GroupStep &step);
  bool needsOne(SMRange where, StringRef what);
  void name(SMRange where, const std::string &operand);
  std::string freshName(StringRef base);
  void nameOperands(SMRange where, GroupStep &step);
  void checkRouted(SMRange where, StringRef verb, const GroupStep &step);
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

static constexpr StringLiteral verbs[] = {"norm", "products", "activate", "rotate",
                                          "add",  "scale",    "convert"};

static std::string oneOfVerbs() {
  SmallVector<StringRef> all(std::begin(verbs), std::end(verbs));
  return alternatives(all);
}

bool GroupReader::needsOne(SMRange where, StringRef what) {
  if (sizes.size() == 1)
    return true;
  diagnostics.error(where, what + " takes one value, and the steps before it leave " + Twine(sizes.size()),
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

std::string GroupReader::freshName(StringRef base) {
  std::string candidate = base.str();
  for (int suffix = 2; names.contains(candidate) || names.contains(candidate + "_weight"); ++suffix)
    candidate = (base + Twine(suffix)).str();
  return candidate;
}

void GroupReader::nameOperands(SMRange where, GroupStep &step) {
  bool bias = step.kind == GroupStep::Kind::bias;
  if (step.kind == GroupStep::Kind::norm) {
    if (step.name.empty())
      step.name = freshName("norm");
    name(where, step.name + "_weight");
    if (step.function == "layer")
      name(where, step.name + "_bias");
  } else if (step.kind == GroupStep::Kind::residual) {
    if (step.name.empty())
      step.name = freshName("residual");
    name(where, step.name);
  } else if (bias || step.kind == GroupStep::Kind::scale) {
    for (const std::string &product : products)
      name(where, product + (bias ? "_bias" : "_scale"));
  }
}

void GroupReader::readProducts(const ConfigNode &list, GroupStep &step) {
  if (!needsOne(list.range, "a product"))
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
  if (step.kind == GroupStep::Kind::norm && !epsilon)
    diagnostics.error(mapping.member(verb)->range, "a norm has no epsilon",
                      "write the model's, as in {norm: rms, epsilon: 1e-5}");
  if (epsilon && step.kind == GroupStep::Kind::norm)
    step.epsilon = *epsilon->value.number();
  else if (epsilon)
    diagnostics.error(epsilon->range, "only a norm has an epsilon", "remove it");
  if (name && (step.kind == GroupStep::Kind::norm || step.kind == GroupStep::Kind::residual))
    step.name = name->value.text;
  else if (name)
    diagnostics.error(name->range, "only norms and residuals have a name", "remove it");
}

// Between routed products only what every expert does alike.
void GroupReader::checkRouted(SMRange where, StringRef verb, const GroupStep &step) {
  bool norm = step.kind == GroupStep::Kind::norm;
  bool ownVectors = step.kind == GroupStep::Kind::bias || step.kind == GroupStep::Kind::scale;
  if (group.top && step.kind == GroupStep::Kind::convert)
    diagnostics.error(where, "the results of experts are added in f32", "remove `convert`");
  if (group.top && multiplied && (norm || ownVectors))
    diagnostics.error(where, "`" + verb + "` has one vector, and experts would need one each",
                      "move the step before the first product");
  if (group.top && summed)
    diagnostics.error(where, "the residual is added to the sum of the experts' results",
                      "write it as the last step");
  summed |= group.top && multiplied && step.kind == GroupStep::Kind::residual;
}

void GroupReader::readStep(const ConfigNode &mapping) {
  SmallVector<StringRef> found;
  for (StringRef verb : verbs)
    if (mapping.member(verb))
      found.push_back(verb);
  if (found.size() != 1) {
    diagnostics.error(mapping.range, found.empty() ? "the step does nothing" : "one step does two things",
                      "write one of " + oneOfVerbs());
    return;
  }
  StringRef verb = found[0];
  const ConfigNode &value = mapping.member(verb)->value;
  GroupStep step;
  step.position = diagnostics.position(mapping.range);
  last = mapping.member(verb)->range;
  endsWithProducts =
      verb == "products" || (endsWithProducts && (verb == "add" || verb == "scale" || verb == "convert"));
  if (verb == "products") {
    readProducts(value, step);
  } else if (verb == "norm") {
    step.kind = GroupStep::Kind::norm;
    step.function = value.text;
    needsOne(value.range, "a norm");
  } else if (verb == "activate") {
    step.kind = GroupStep::Kind::activate;
    step.function = value.text;
    if (sizes.size() > 2 || !all_equal(sizes))
      diagnostics.error(value.range, "an activation takes one value, or a gate and what it scales",
                        "write a `products` step of one or two kernels of equal n before it");
    sizes.truncate(1);
    products.truncate(1);
  } else if (verb == "rotate") {
    step.kind = GroupStep::Kind::rotate;
    step.block = *value.integer();
    int64_t size = multiplied ? sizes[0] : 0;
    if (needsOne(value.range, "a rotation") &&
        (!isPowerOf2_64(step.block) || step.block < 2 || size % step.block))
      diagnostics.error(value.range,
                        "a rotation takes blocks of a power of two that divides its " +
                            (size ? Twine(size) + " elements" : Twine("elements")),
                        "write the block size of the model's Hadamard rotation");
  } else if (verb == "scale") {
    step.kind = GroupStep::Kind::scale;
    step.function = value.text;
  } else if (verb == "convert") {
    step.kind = GroupStep::Kind::convert;
    step.function = value.text;
  } else {
    step.kind = value.text == "bias" ? GroupStep::Kind::bias : GroupStep::Kind::residual;
    if (step.kind == GroupStep::Kind::residual)
      needsOne(value.range, "a residual");
  }
  checkRouted(last, verb, step);
  if (converted)
    diagnostics.error(last, "results have been converted before", "write `convert` as the last step");
  converted |= step.kind == GroupStep::Kind::convert;
  readOptions(mapping, verb, step);
  nameOperands(last, step);
  group.steps.push_back(std::move(step));
}

void GroupReader::checkEnd() {
  if (!multiplied)
    diagnostics.error(last, "group '" + group.name + "' has no product", "add a `products` step");
  else if (!endsWithProducts)
    diagnostics.error(last, "nothing multiplies what this step leaves",
                      "after the last `products` step write only `add`, `scale` and `convert`, or move the "
                      "step to the group "
                      "that reads it");
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

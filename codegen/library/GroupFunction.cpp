#include "codegen/library/GroupFunction.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace lut;

WeightsType lut::weightsOf(MLIRContext *context, int64_t n, int64_t k, const Format &format) {
  return WeightsType::get(context, n, k, WeightFormatAttr::get(context, format.str()), Encoding::codes);
}

namespace {

struct GroupBuilder {
  const LibrarySpec &library;
  AddProduct addProduct;
  func::FuncOp function;
  OpBuilder b;
  Location loc;
  std::vector<GroupOperand> operands;
  // What the steps so far leave, and what names it.
  SmallVector<Value> values;
  SmallVector<std::string> names;
  const GroupSpec &group;
  Value experts, gates, residual; // of each token, once products are routed

  void step(const GroupStep &step);
  void products(const GroupStep &step);
  Value argument(Slot::Kind kind, const std::string &name, Type type, int64_t size, size_t kernel = 0);
  Value rows(const std::string &name, int64_t size);
  Value vector(const std::string &name, int64_t size);
};

} // namespace

static int64_t sizeOf(Value value) { return cast<RankedTensorType>(value.getType()).getDimSize(1); }

Value GroupBuilder::argument(Slot::Kind kind, const std::string &name, Type type, int64_t size,
                             size_t kernel) {
  operands.push_back({kind, name, size, kernel});
  (void)function.insertArgument(function.getNumArguments(), type, {}, loc);
  return function.getArgument(function.getNumArguments() - 1);
}

Value GroupBuilder::rows(const std::string &name, int64_t size) {
  return argument(Slot::Kind::rows, name, RankedTensorType::get({ShapedType::kDynamic, size}, b.getF32Type()),
                  size);
}

Value GroupBuilder::vector(const std::string &name, int64_t size) {
  return argument(Slot::Kind::vector, name, RankedTensorType::get({size}, b.getF32Type()), size);
}

void GroupBuilder::products(const GroupStep &step) {
  Value x = values.front();
  if (group.top && !experts) {
    auto type = RankedTensorType::get({ShapedType::kDynamic, group.top}, b.getI32Type());
    experts = argument(Slot::Kind::routes, "experts", type, group.top);
    gates = rows("gates", group.top);
    x = RouteOp::create(b, loc, x, experts);
  }
  values.clear();
  names.clear();
  for (size_t kernel : step.kernels) {
    const KernelSpec &spec = library.kernels[kernel];
    Value w = argument(experts ? Slot::Kind::experts : Slot::Kind::weights, spec.name + "_packed",
                       weightsOf(b.getContext(), spec.n, spec.k, spec.format), spec.n, kernel);
    values.push_back(addProduct(b, kernel, x, w));
    names.push_back(spec.name);
  }
}

void GroupBuilder::step(const GroupStep &step) {
  Value x = values.front();
  int64_t size = sizeOf(x);
  switch (step.kind) {
  case GroupStep::Kind::products:
    return products(step);
  case GroupStep::Kind::norm: {
    NormKind kind = *symbolizeNormKind(step.function);
    Value weight = vector(step.name + "_weight", size), bias;
    if (kind == NormKind::layer)
      bias = vector(step.name + "_bias", size);
    values[0] = NormOp::create(b, loc, x.getType(), kind, x, weight, bias, APFloat(float(step.epsilon)));
    return;
  }
  case GroupStep::Kind::activate:
    values = {ActivateOp::create(b, loc, x.getType(), *symbolizeActivation(step.function), x,
                                 values.size() == 2 ? values[1] : Value())};
    names.truncate(1);
    return;
  case GroupStep::Kind::rotate:
    values[0] = RotateOp::create(b, loc, x.getType(), x, step.block);
    return;
  case GroupStep::Kind::residual:
    if (experts) { // added when the experts' results are
      residual = rows(step.name, size);
      return;
    }
    values[0] = AddOp::create(b, loc, x.getType(), x, rows(step.name, size));
    return;
  case GroupStep::Kind::convert:
    for (Value &value : values) {
      Type type = step.function == "f16"    ? Type(b.getF16Type())
                  : step.function == "bf16" ? Type(b.getBF16Type())
                                            : Type(b.getI8Type());
      value = ConvertOp::create(b, loc, cast<RankedTensorType>(value.getType()).clone(type), value);
    }
    return;
  case GroupStep::Kind::bias:
  case GroupStep::Kind::scale:
    bool adds = step.kind == GroupStep::Kind::bias;
    for (auto [value, name] : llvm::zip(values, names)) {
      Value other = vector(name + (adds ? "_bias" : "_scale"), step.function == "tensor" ? 1 : sizeOf(value));
      value = adds ? AddOp::create(b, loc, value.getType(), value, other).getY()
                   : ScaleOp::create(b, loc, value.getType(), value, other).getY();
    }
  }
}

std::vector<GroupOperand> lut::addGroupFunction(OpBuilder &b, const LibrarySpec &library,
                                                const GroupSpec &group, StringRef symbol,
                                                AddProduct addProduct) {
  Location loc = locationOf(*b.getContext(), group.position, group.name);
  auto function = func::FuncOp::create(b, loc, symbol, b.getFunctionType({}, {}));
  GroupBuilder builder{library, addProduct, function, OpBuilder::atBlockBegin(function.addEntryBlock()),
                       loc,     {},         {},       {},
                       group,   {},         {},       {}};
  int64_t k = 0;
  for (const GroupStep &step : group.steps)
    if (!k && !step.kernels.empty())
      k = library.kernels[step.kernels[0]].k;
  builder.values = {builder.rows("x", k)};
  builder.names = {"x"};
  for (const GroupStep &step : group.steps)
    builder.step(step);
  if (builder.experts)
    builder.values[0] = CombineOp::create(builder.b, loc, builder.values[0].getType(), builder.values[0],
                                          builder.experts, builder.gates, builder.residual);
  func::ReturnOp::create(builder.b, loc, builder.values);
  function.setFunctionType(
      b.getFunctionType(function.getArgumentTypes(), TypeRange(ValueRange(builder.values))));
  for (auto [value, name] : llvm::zip(builder.values, builder.names))
    builder.operands.push_back({Slot::Kind::result, name, sizeOf(value), 0,
                                elementTypeOf(cast<RankedTensorType>(value.getType()).getElementType())});
  return builder.operands;
}

std::string lut::describeGroup(const LibrarySpec &library, const GroupSpec &group) {
  std::string text = "x";
  bool routed = false;
  for (const GroupStep &step : group.steps) {
    if (group.top && !routed && step.kind == GroupStep::Kind::products) {
      text += " -> " + std::to_string(group.top) + " of " + std::to_string(group.experts) + " experts";
      routed = true;
    }
    text += text.empty() ? "" : " -> ";
    switch (step.kind) {
    case GroupStep::Kind::norm:
      text += step.function + " norm";
      break;
    case GroupStep::Kind::activate:
      text += step.function;
      break;
    case GroupStep::Kind::rotate:
      text += "Hadamard rotation of " + std::to_string(step.block);
      break;
    case GroupStep::Kind::products:
      text += llvm::join(
          llvm::map_range(step.kernels, [&](size_t kernel) { return library.kernels[kernel].name; }), ", ");
      break;
    case GroupStep::Kind::bias:
      text += "bias";
      break;
    case GroupStep::Kind::scale:
      text += "scale";
      break;
    case GroupStep::Kind::convert:
      text += step.function;
      break;
    case GroupStep::Kind::residual:
      text += "+ " + step.name;
      break;
    }
  }
  return text;
}

#include "codegen/library/GroupFunction.h"
#include "codegen/library/Steps.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

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
  ImplicitLocOpBuilder b;
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
  (void)function.insertArgument(function.getNumArguments(), type, {}, b.getLoc());
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
    x = RouteOp::create(b, x, experts);
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
  if (!step.row)
    return products(step);
  bool each = step.row->takes == StepRow::Takes::each;
  for (size_t i = 0; i < (each ? values.size() : 1); ++i) {
    SmallVector<Value> given;
    for (const StepOperand &operand : step.row->operandsOf(step, names[i], sizeOf(values[i]))) {
      given.push_back(operand.isResidual ? rows(operand.name, operand.size)
                                         : vector(operand.name, operand.size));
      if (operand.isResidual && experts) {
        residual = given.back();
        return;
      }
    }
    values[i] = step.row->create(b, step, ArrayRef(values).slice(i, each ? 1 : values.size()), given);
  }
  if (!each) {
    values.truncate(1);
    names.truncate(1);
  }
}

std::vector<GroupOperand> lut::addGroupFunction(OpBuilder &b, const LibrarySpec &library,
                                                const GroupSpec &group, StringRef symbol,
                                                AddProduct addProduct) {
  Location loc = locationOf(*b.getContext(), group.position, group.name);
  auto function = func::FuncOp::create(b, loc, symbol, b.getFunctionType({}, {}));
  ImplicitLocOpBuilder body = ImplicitLocOpBuilder::atBlockBegin(loc, function.addEntryBlock());
  GroupBuilder builder{library, addProduct, function, body, {}, {}, {}, group, {}, {}, {}};
  int64_t k = 0;
  for (const GroupStep &step : group.steps)
    if (!k && !step.kernels.empty())
      k = library.kernels[step.kernels[0]].k;
  builder.values = {builder.rows("x", k)};
  builder.names = {"x"};
  for (const GroupStep &step : group.steps)
    builder.step(step);
  if (builder.experts)
    builder.values[0] = CombineOp::create(builder.b, builder.values[0].getType(), builder.values[0],
                                          builder.experts, builder.gates, builder.residual);
  func::ReturnOp::create(builder.b, builder.values);
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
    if (group.top && !routed && !step.row) {
      text += " -> " + std::to_string(group.top) + " of " + std::to_string(group.experts) + " experts";
      routed = true;
    }
    text += " -> ";
    if (step.row)
      text += llvm::formatv(/*Validate=*/false, step.row->text.data(), step.word, step.number, step.name);
    else
      text += llvm::join(
          llvm::map_range(step.kernels, [&](size_t kernel) { return library.kernels[kernel].name; }), ", ");
  }
  return text;
}

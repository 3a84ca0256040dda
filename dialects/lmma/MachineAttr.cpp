#include "dialects/lmma/MachineAttr.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace lut;
using namespace lut::lmma;

namespace {
/// Facts to attributes.
struct FactWriter {
  Builder b;
  NamedAttrList facts;
  void operator()(StringRef name, int64_t value, int64_t = 1) {
    facts.append(name, b.getI64IntegerAttr(value));
  }
  void operator()(StringRef name, double value) { facts.append(name, b.getF64FloatAttr(value)); }
  void operator()(StringRef name, const std::string &value) { facts.append(name, b.getStringAttr(value)); }
};

/// Attributes to facts. `wrong` is the first that is not there as it should be.
struct FactReader {
  DictionaryAttr facts;
  StringRef wrong = {};
  size_t read = 0;

  void check(StringRef name, bool isRight) {
    ++read;
    if (!isRight && wrong.empty())
      wrong = name;
  }
  void operator()(StringRef name, int64_t &value, int64_t least = 1) {
    auto found = facts.getAs<IntegerAttr>(name);
    bool isNumber = found && found.getType().isInteger(64);
    value = isNumber ? found.getInt() : 0;
    check(name, isNumber && value >= least);
  }
  void operator()(StringRef name, double &value) {
    auto found = facts.getAs<FloatAttr>(name);
    value = found ? found.getValueAsDouble() : 0;
    check(name, value > 0);
  }
  void operator()(StringRef name, std::string &value) {
    auto found = facts.getAs<StringAttr>(name);
    value = found ? found.str() : "";
    check(name, bool(found));
  }
};
} // namespace

MachineAttr lut::lmma::attributeOf(MLIRContext *context, const Machine &machine) {
  FactWriter writer{Builder(context), {}};
  eachFact(machine, writer);
  return MachineAttr::get(context, writer.facts.getDictionary(context));
}

Machine lut::lmma::machineOf(TargetAttr target) {
  Machine machine;
  eachFact(machine, FactReader{cast<MachineAttr>(target.getMachine()).getFacts()});
  return machine;
}

LogicalResult MachineAttr::verify(function_ref<InFlightDiagnostic()> emitError, DictionaryAttr facts) {
  Machine machine;
  FactReader reader{facts};
  eachFact(machine, reader);
  if (!reader.wrong.empty())
    return emitError() << "fact '" << reader.wrong
                       << "' of a machine is missing, or not a positive number or a name";
  if (reader.read != facts.size())
    return emitError() << "a machine has " << reader.read << " facts, not " << facts.size();
  return success();
}

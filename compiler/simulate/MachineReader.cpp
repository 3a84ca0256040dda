#include "compiler/simulate/MachineReader.h"

#include "codegen/targets/lmma/MachineFiles.h"
#include "compiler/config/ConfigKeys.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace lut {

static const std::vector<StringRef> numberNames = {"i8", "i16", "f8", "f16"};
static const std::vector<StringRef> sumNames = {"i16", "i24", "i32", "f16", "f32"};

// Every machine has all keys but base, lut and mac, of its own or from its base.
static ArrayRef<ConfigKey> machineKeys() {
  using K = KeyKind;
  static const std::vector<StringRef> weights = {"planes", "trits"};
  static const ConfigKey registers[] = {
      {"kib", K::Dimension, true, "KiB of a core as built"},
      {"per_thread", K::Dimension, true, "registers of 4 bytes of a thread"},
      {"multiple", K::Dimension, true, "how many times larger than as built"}};
  static const ConfigKey scratchpad[] = {{"kib", K::Dimension, true, "KiB of a core"},
                                         {"bandwidth", K::Positive, true, "bytes of a core in a cycle"}};
  static const ConfigKey cache[] = {{"kib", K::Dimension, true, "KiB of L2"},
                                    {"bandwidth", K::Positive, true, "bytes in a cycle, for all cores"},
                                    {"port", K::Positive, true, "bytes in a cycle to one core"}};
  static const ConfigKey memory[] = {{"bandwidth", K::Positive, true, "GB/s"}};
  static const ConfigKey lut[] = {{"arrays", K::Dimension, true, "number of arrays of a slot"},
                                  {"m", K::Dimension, true, "number of tables of an array"},
                                  {"n", K::Dimension, true, "number of readers of each table"},
                                  {"k", K::Dimension, true, "number of weights in a lookup: 1 to 8"},
                                  {"entry", K::Choice, true, "type of a table's entries", numberNames},
                                  {"weights", K::Choice, false, "what a code stands for", weights},
                                  {"sums", K::Choice, false, "type of results in registers", sumNames}};
  static const ConfigKey attention[] = {
      {"rate", K::Dimension, true, "number of multiply-accumulates of a slot in a cycle"},
      {"operand", K::Choice, true, "type of the operands", numberNames}};
  static const ConfigKey mac[] = {attention[0],
                                  attention[1],
                                  {"area", K::Positive, true, "mm2 of a core's units"},
                                  {"efficiency", K::Positive, false, "10^12 operations per joule"}};
  static const ConfigKey root[] = {
      {"base", K::Text, false, "a carried machine that has the keys that are not here"},
      {"summary", K::Text, true, "one line for people"},
      {"clock", K::Positive, true, "GHz"},
      {"cores", K::Dimension, true, "number of cores"},
      {"slots", K::Dimension, true, "number of tensor-core slots of a core"},
      {"registers", K::Mapping, true, "{kib, per_thread, multiple}", {}, registers},
      {"scratchpad", K::Mapping, true, "{kib, bandwidth}", {}, scratchpad},
      {"cache", K::Mapping, true, "{kib, bandwidth, port}", {}, cache},
      {"memory", K::Mapping, true, "{bandwidth}", {}, memory},
      {"latency", K::Dimension, true, "cycles of a load from memory"},
      {"launch", K::Count, true, "number of cycles to start a kernel"},
      {"blocks", K::Dimension, true, "number of blocks that reside on a core"},
      {"adders", K::Dimension, true, "number of 16-bit additions of a core in a cycle"},
      {"attention", K::Mapping, true, "{rate, operand} of the units that attention runs on", {}, attention},
      {"lut", K::Mapping, false, "LUT arrays in place of tensor cores", {}, lut},
      {"mac", K::Mapping, false, "multiply-accumulate units", {}, mac}};
  return root;
}

static ArrayRef<ConfigKey> costKeys() {
  using K = KeyKind;
  static const ConfigKey part[] = {{"area", K::Positive, true, "um2"},
                                   {"energy", K::Positive, true, "fJ of a cycle"}};
  static const ConfigKey bytes[] = {{"memory", K::Positive, true, "pJ"},
                                    {"cache", K::Positive, true, "pJ"},
                                    {"scratchpad", K::Positive, true, "pJ"},
                                    {"registers", K::Positive, true, "pJ"}};
  static const ConfigKey root[] = {
      {"register_bit", K::Mapping, true, "{area, energy}", {}, part},
      {"multiplexer_input", K::Mapping, true, "{area, energy}", {}, part},
      {"adder_bit", K::Mapping, true, "{area, energy}", {}, part},
      {"inverter_bit", K::Mapping, true, "{area, energy}", {}, part},
      {"shifter_bit", K::Mapping, true, "{area, energy}", {}, part},
      {"register_file_bit", K::Positive, true, "um2"},
      {"energy_of_byte", K::Mapping, true, "{memory, cache, scratchpad, registers}", {}, bytes}};
  return root;
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static StringRef machineName(const lmma::DataFile &file) {
  return StringRef(file.path).starts_with("machines/") ? sys::path::stem(file.path) : StringRef();
}

// A base describes no tensor cores, so that it is no machine.
static bool isBase(const lmma::DataFile &file) { return !StringRef(file.text).starts_with("base:"); }

std::vector<std::string> machineNames() {
  std::vector<std::string> names;
  for (const lmma::DataFile &file : lmma::dataFiles())
    if (!machineName(file).empty() && !isBase(file))
      names.push_back(machineName(file).str());
  return names;
}

static std::optional<ConfigNode> readCarried(StringRef name, Diagnostics &diagnostics) {
  for (const lmma::DataFile &file : lmma::dataFiles())
    if (machineName(file) == name || StringRef(file.path) == name)
      return readConfigTree(MemoryBuffer::getMemBuffer(file.text, file.path), /*isJson=*/false, diagnostics);
  return std::nullopt;
}

// Adds what `base` has and `mapping` lacks.
static void addMissing(ConfigNode &mapping, const ConfigNode &base) {
  for (const ConfigMember &member : base.members) {
    auto own = find_if(mapping.members, [&](const ConfigMember &m) { return m.key == member.key; });
    if (own == mapping.members.end())
      mapping.members.push_back(member);
    else if (own->value.kind == ConfigNode::Mapping && member.value.kind == ConfigNode::Mapping)
      addMissing(own->value, member.value);
  }
}

static bool resolveBase(ConfigNode &root, Diagnostics &diagnostics) {
  const ConfigNode *base = root.find("base");
  if (!base)
    return true;
  std::optional<ConfigNode> tree = readCarried(base->text, diagnostics);
  if (!tree) {
    std::vector<std::string> names = machineNames();
    SmallVector<StringRef> known{"a100", "h100"};
    known.append(names.begin(), names.end());
    diagnostics.error(base->range, "'" + base->text + "' is no machine to start from",
                      suggest(base->text, known) + "write " + alternatives(known));
    return false;
  }
  if (!resolveBase(*tree, diagnostics))
    return false;
  // The kind of tensor cores is the machine's own choice.
  for (StringRef kind : {"lut", "mac"})
    if (root.find(kind == "lut" ? "mac" : "lut") && !root.find(kind))
      erase_if(tree->members, [&](const ConfigMember &member) { return member.key == kind; });
  addMissing(root, *tree);
  return true;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

// Of a tree that has passed checkKeys.
static const ConfigNode &at(const ConfigNode &root, StringRef path) {
  auto [head, tail] = path.split('.');
  const ConfigNode &node = *root.find(head);
  return tail.empty() ? node : at(node, tail);
}
static int64_t integerAt(const ConfigNode &root, StringRef path) { return *at(root, path).integer(); }
static double numberAt(const ConfigNode &root, StringRef path) { return *at(root, path).number(); }
static lmma::Number typeAt(const ConfigNode &root, StringRef path) {
  return *lmma::parseNumber(at(root, path).text);
}

static bool readArrays(const ConfigNode &lut, lmma::Machine &machine, Diagnostics &diagnostics) {
  lmma::Array &array = machine.array;
  machine.arrays = integerAt(lut, "arrays");
  const ConfigNode *weights = lut.find("weights");
  bool trits = weights && weights->text == "trits";
  array = {integerAt(lut, "m"), integerAt(lut, "n"), integerAt(lut, "k"), typeAt(lut, "entry"), {2, trits}};
  if (const ConfigNode *sums = lut.find("sums")) {
    machine.sums = typeAt(lut, "sums");
    if (isFloat(*machine.sums) != isFloat(array.entry))
      diagnostics.error(sums->range,
                        "entries of " + lmma::name(array.entry) + " have no sums in " + sums->text,
                        isFloat(array.entry) ? "write f16 or f32" : "write i16, i24 or i32");
  }
  const ConfigNode &k = *lut.find("k");
  if (array.weights.trits && array.k != 3)
    diagnostics.error(k.range, "a lookup of trits takes 3 weights, not " + k.text, "write k: 3");
  else if (array.k > 8)
    diagnostics.error(k.range, "a table of " + k.text + " weights has too many entries",
                      "write k: 8 or less; 4 is the paper's");
  for (StringRef key : {"arrays", "m", "n"})
    if (integerAt(lut, key) > 1024)
      diagnostics.error(at(lut, key).range, "'" + key + "' is above 1024", "write a smaller array");
  return !diagnostics.failed();
}

static void readUnits(const ConfigNode &mac, lmma::Mac &out) {
  out.rate = integerAt(mac, "rate");
  out.operand = typeAt(mac, "operand");
  if (const ConfigNode *area = mac.find("area"))
    out.area = *area->number();
  if (const ConfigNode *efficiency = mac.find("efficiency"))
    out.efficiency = *efficiency->number();
}

static std::optional<lmma::Machine> readValues(const ConfigNode &root, Diagnostics &diagnostics) {
  lmma::Machine machine;
  machine.summary = at(root, "summary").text;
  machine.clock = numberAt(root, "clock");
  machine.cores = integerAt(root, "cores");
  machine.slots = integerAt(root, "slots");
  machine.registerBytes = integerAt(root, "registers.kib") * 1024;
  machine.registersPerThread = integerAt(root, "registers.per_thread");
  machine.registerMultiple = integerAt(root, "registers.multiple");
  machine.scratchpadBytes = integerAt(root, "scratchpad.kib") * 1024;
  machine.scratchpadBandwidth = numberAt(root, "scratchpad.bandwidth");
  machine.cacheBytes = integerAt(root, "cache.kib") * 1024;
  machine.cacheBandwidth = numberAt(root, "cache.bandwidth");
  machine.portBandwidth = numberAt(root, "cache.port");
  machine.memoryBandwidth = numberAt(root, "memory.bandwidth");
  machine.latency = integerAt(root, "latency");
  machine.launch = integerAt(root, "launch");
  machine.maxBlocks = integerAt(root, "blocks");
  machine.adders = integerAt(root, "adders");
  readUnits(at(root, "attention"), machine.attention);
  if (const ConfigNode *mac = root.find("mac"))
    readUnits(*mac, machine.mac);
  const ConfigNode *lut = root.find("lut");
  if (lut && !readArrays(*lut, machine, diagnostics))
    return std::nullopt;
  return machine;
}

std::optional<lmma::Machine> readMachine(StringRef nameOrPath, SourceMgr &sources) {
  Diagnostics diagnostics(sources);
  std::vector<std::string> names = machineNames();
  bool carried = is_contained(names, nameOrPath);
  if (!carried && !nameOrPath.contains('/') && !nameOrPath.contains('.')) {
    SmallVector<StringRef> known(names.begin(), names.end());
    diagnostics.error(nameOrPath, "no such machine",
                      suggest(nameOrPath, known) + "write " + alternatives(known) + ", or a path to a file");
    return std::nullopt;
  }
  std::optional<ConfigNode> root =
      carried ? readCarried(nameOrPath, diagnostics) : readConfigTree(nameOrPath, diagnostics);
  if (!root || !resolveBase(*root, diagnostics) || !checkKeys(*root, machineKeys(), diagnostics))
    return std::nullopt;
  if (bool(root->find("lut")) == bool(root->find("mac"))) {
    diagnostics.error(root->range, "a machine has either `lut` or `mac`",
                      "write lut: {arrays: 4, m: 2, n: 64, k: 4, entry: i8}, or mac: {rate: 256, operand: "
                      "f16, area: 0.975}");
    return std::nullopt;
  }
  std::optional<lmma::Machine> machine = readValues(*root, diagnostics);
  if (machine)
    machine->name = sys::path::stem(nameOrPath).str();
  return machine;
}

static lmma::Cost costAt(const ConfigNode &root, StringRef part) {
  const ConfigNode &node = at(root, part);
  return {numberAt(node, "area"), numberAt(node, "energy")};
}

lmma::Costs readCosts() {
  SourceMgr sources;
  Diagnostics diagnostics(sources);
  std::optional<ConfigNode> root = readCarried("costs.yaml", diagnostics);
  if (!root || !checkKeys(*root, costKeys(), diagnostics))
    report_fatal_error("the carried costs.yaml is not valid");
  lmma::Costs costs;
  costs.registerBit = costAt(*root, "register_bit");
  costs.multiplexerInput = costAt(*root, "multiplexer_input");
  costs.adderBit = costAt(*root, "adder_bit");
  costs.inverterBit = costAt(*root, "inverter_bit");
  costs.shifterBit = costAt(*root, "shifter_bit");
  costs.registerFileBit = numberAt(*root, "register_file_bit");
  costs.memoryByte = numberAt(*root, "energy_of_byte.memory");
  costs.cacheByte = numberAt(*root, "energy_of_byte.cache");
  costs.scratchpadByte = numberAt(*root, "energy_of_byte.scratchpad");
  costs.registerByte = numberAt(*root, "energy_of_byte.registers");
  return costs;
}

} // namespace lut

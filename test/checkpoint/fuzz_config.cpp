// Any bytes as a config, and its strings as patterns of modules: one that is found among many is the one that
// is found by trying each.
#include "compiler/quantizers/ModulePattern.h"
#include "fuzz.h"

using namespace lut;

namespace {

struct Patterns {
  llvm::SourceMgr sources;
  Diagnostics diagnostics{sources};
  std::vector<ModulePattern> list;
  ModuleIndex index;

  void add(ModulePattern pattern) {
    index.add(pattern);
    list.push_back(std::move(pattern));
  }
  void add(const ConfigNode &node);
};

void Patterns::add(const ConfigNode &node) {
  for (const ConfigNode &item : node.items)
    add(item);
  for (const ConfigMember &member : node.members) {
    add(ModulePattern::exactly(member.key));
    add(ModulePattern::containing(member.key));
    add(member.value);
  }
  if (!node.isString())
    return;
  if (auto pattern = ModulePattern::startOrEnd(node, diagnostics))
    add(std::move(*pattern));
  if (auto pattern = ModulePattern::python(node.range, node.text, diagnostics))
    add(std::move(*pattern));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  Patterns patterns;
  patterns.sources.setDiagHandler([](const llvm::SMDiagnostic &, void *) {});
  llvm::StringRef text(reinterpret_cast<const char *>(data) + 1, size - 1);
  auto root =
      readConfigTree(llvm::MemoryBuffer::getMemBufferCopy(text, "fuzz"), data[0] & 1, patterns.diagnostics);
  if (!root)
    return 0;
  patterns.add(*root);
  for (llvm::StringRef module :
       {"", "lm_head", "model.layers.1.mlp.down_proj", "model.layers.10.self_attn.q_proj"}) {
    size_t first = 0;
    while (first < patterns.list.size() && !patterns.list[first].matches(module))
      ++first;
    if (patterns.index.findFirst(module).value_or(patterns.list.size()) != first)
      abort();
  }
  return 0;
}

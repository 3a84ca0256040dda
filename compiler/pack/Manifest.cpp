#include "compiler/pack/Manifest.h"

#include "codegen/library/Packing.h"
#include "compiler/config/ConfigKeys.h"
#include "compiler/config/ConfigTree.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace lut {

lutc_kernel_info PackedKernel::info() const {
  lutc_kernel_info info = kernelInfo(n, k, format);
  info.name = name.c_str();
  info.format = formatName.c_str();
  return info;
}

namespace {

// A manifest is written by lutc and not by hand: whatever is wrong with it, it has to be written again.
class ManifestReader {
public:
  explicit ManifestReader(Diagnostics &diagnostics) : diagnostics(diagnostics) {}

  std::optional<Manifest> read(const ConfigNode &root);

private:
  void reject(SMRange where, const Twine &message) {
    if (!diagnostics.failed())
      diagnostics.error(where, message,
                        "give the <name>.json that lutc compile wrote; compile again to renew it");
  }
  const ConfigNode *find(const ConfigNode &node, StringRef key, ConfigNode::Kind kind);
  std::string text(const ConfigNode &node, StringRef key);
  int64_t integer(const ConfigNode &node, StringRef key, int64_t least, int64_t most);
  ArrayRef<ConfigNode> list(const ConfigNode &node, StringRef key);
  Packing readPacking(const ConfigNode &variant, const PackedKernel &kernel);
  PackedKernel readKernel(const ConfigNode &node, const Manifest &manifest);
  ProjectionSpec readProjection(const ConfigNode &node, const Manifest &manifest);

  Diagnostics &diagnostics;
};

} // namespace

const ConfigNode *ManifestReader::find(const ConfigNode &node, StringRef key, ConfigNode::Kind kind) {
  const ConfigNode *found = node.find(key);
  if (found && found->kind == kind)
    return found;
  reject(node.range, "no manifest of this lutc: '" + key + "' is missing or of another kind");
  return nullptr;
}

std::string ManifestReader::text(const ConfigNode &node, StringRef key) {
  const ConfigNode *found = find(node, key, ConfigNode::Scalar);
  return found ? found->text : "";
}

int64_t ManifestReader::integer(const ConfigNode &node, StringRef key, int64_t least, int64_t most) {
  const ConfigNode *found = find(node, key, ConfigNode::Scalar);
  if (!found)
    return least;
  std::optional<int64_t> value = found->integer();
  if (value && *value >= least && *value <= most)
    return *value;
  reject(found->range, "'" + key + "' is no integer from " + Twine(least) + " to " + Twine(most));
  return least;
}

ArrayRef<ConfigNode> ManifestReader::list(const ConfigNode &node, StringRef key) {
  const ConfigNode *found = find(node, key, ConfigNode::Sequence);
  return found ? ArrayRef(found->items) : ArrayRef<ConfigNode>();
}

// What the packer relies on.
static bool isLayoutOf(const lutc_layout &layout, const PackedKernel &kernel) {
  const lutc_layout_facts &facts = lutc_layout_kinds[layout.kind];
  const FormatRow &row = *kernel.format.row;
  const bool isBook = layout.kind == LUTC_LAYOUT_BOOK;
  uint32_t chunk = facts.chunk_k, bits = facts.trits ? 1
                                         : isBook && row.vectors
                                             ? lutc_book_row_bytes(row.vectors, uint64_t(row.subgroup))
                                             : uint32_t(row.bits);
  bool isOneBlock = layout.k_block == layout.k_padded;
  return is_contained({16u, 32u, 64u}, layout.vector_bytes) && layout.row_vectors >= 1 &&
         layout.row_vectors <= 64 &&
         layout.tile_rows == layout.row_vectors * layout.vector_bytes / 4 * facts.quarter_rows &&
         layout.bits == bits && layout.group == uint32_t(kernel.format.group) &&
         layout.k_padded >= kernel.k && layout.k_padded <= 2 * uint32_t(maxDimension) &&
         layout.k_block >= 1 && layout.k_block <= layout.k_padded && layout.k_padded % chunk == 0 &&
         layout.k_block % chunk == 0 && (isOneBlock || !layout.group || layout.k_block % layout.group == 0) &&
         (!facts.trits || row.trits) && isBook == (row.vectors != nullptr);
}

Packing ManifestReader::readPacking(const ConfigNode &variant, const PackedKernel &kernel) {
  Packing packing = {};
  const ConfigNode *node = find(variant, "packing", ConfigNode::Mapping);
  if (!node)
    return packing;
  auto *fields = reinterpret_cast<uint32_t *>(&packing.layout);
  for (auto [index, name] : drop_begin(enumerate(layoutFields)))
    fields[index] = uint32_t(integer(*node, name, 0, UINT32_MAX));
  std::optional<Layout> kind = symbolizeLayout(text(*node, layoutFields[0]));
  if (!kind)
    reject(node->range, "'kind' is no layout of weights");
  packing.layout.kind = uint32_t(kind.value_or(Layout::dot));
  packing.layoutId = uint32_t(integer(*node, "layout_id", 0, UINT32_MAX));
  int64_t bytes = integer(variant, "packed_bytes", 0, INT64_MAX);
  if (diagnostics.failed())
    return packing;
  lutc_kernel_info info = kernel.info();
  if (!isLayoutOf(packing.layout, kernel) || packing.layoutId != layoutId(packing.layout) ||
      uint64_t(bytes) != sizeof(lutc_packed_header) + lutc_payload_bytes(&info, &packing.layout))
    reject(node->range, "a layout of weights that this lutc does not write");
  return packing;
}

PackedKernel ManifestReader::readKernel(const ConfigNode &node, const Manifest &manifest) {
  PackedKernel kernel;
  kernel.name = text(node, "name");
  if (node.find("open")) {
    reject(node.range, "kernel '" + kernel.name + "' has no n and k: its weights are packed at run time");
    return kernel;
  }
  kernel.formatName = text(node, "format");
  kernel.n = integer(node, "n", 1, maxDimension);
  kernel.k = integer(node, "k", 1, maxDimension);
  Expected<Format> format = parseFormat(kernel.formatName);
  if (!format) {
    reject(node.range, toString(format.takeError()));
    return kernel;
  }
  kernel.format = *format;
  if (node.find("modules"))
    for (const ConfigNode &pattern : list(node, "modules"))
      kernel.modules.push_back(pattern.text);
  ArrayRef<ConfigNode> variants = list(node, "variants");
  auto isNamed = [&](const ConfigNode &variant, StringRef name) { return text(variant, "variant") == name; };
  if (!equal(variants, manifest.variants, isNamed))
    reject(node.range, "kernel '" + kernel.name + "' has other variants than the library");
  for (const ConfigNode &variant : variants)
    if (!diagnostics.failed())
      kernel.packings.push_back(readPacking(variant, kernel));
  return kernel;
}

ProjectionSpec ManifestReader::readProjection(const ConfigNode &node, const Manifest &manifest) {
  ProjectionSpec projection;
  projection.projection = text(node, "projection");
  projection.first = integer(node, "first_layer", 0, maxDimension);
  projection.last = integer(node, "last_layer", 0, maxDimension);
  projection.copies = integer(node, "copies", 1, maxDimension);
  if (!node.find("kernel")) {
    projection.reason = text(node, "not_compiled");
    return projection;
  }
  projection.kernel = text(node, "kernel");
  if (none_of(manifest.kernels, [&](const PackedKernel &it) { return it.name == projection.kernel; }))
    reject(node.range, "the library has no kernel '" + projection.kernel + "'");
  return projection;
}

std::optional<Manifest> ManifestReader::read(const ConfigNode &root) {
  Manifest manifest;
  manifest.library = text(root, "library");
  std::string hash = text(root, "hash");
  for (const ConfigNode &variant : list(root, "variants"))
    manifest.variants.push_back(text(variant, "name"));
  std::vector<KernelSpec> specs;
  for (const ConfigNode &node : list(root, "kernels")) {
    if (diagnostics.failed())
      return std::nullopt;
    PackedKernel &kernel = manifest.kernels.emplace_back(readKernel(node, manifest));
    KernelSpec &spec = specs.emplace_back();
    spec.name = kernel.name;
    spec.n = kernel.n;
    spec.k = kernel.k;
    spec.format = kernel.format;
  }
  if (diagnostics.failed())
    return std::nullopt;
  if (StringRef(hash).getAsInteger(16, manifest.hash) || manifest.hash != libraryHash(specs))
    reject(root.range, "the hash is not that of the kernels");
  if (const ConfigNode *projections = root.find("projections"))
    for (const ConfigNode &node : projections->items)
      manifest.projections.push_back(readProjection(node, manifest));
  if (diagnostics.failed())
    return std::nullopt;
  return manifest;
}

// The manifest that lies beside a library, or one of any library.
static std::string adviceFor(StringRef path) {
  SmallString<128> manifest(sys::path::parent_path(path));
  StringRef name = sys::path::filename(path);
  if (!name.consume_front("lib") || !name.consume_back(".a"))
    return "give the <name>.json that lutc compile wrote";
  sys::path::append(manifest, name + ".json");
  return ("give " + manifest + ", which lutc compile wrote beside it").str();
}

std::optional<Manifest> readManifest(StringRef path, Diagnostics &diagnostics) {
  auto file = MemoryBuffer::getFile(path);
  if (std::error_code problem = file.getError()) {
    diagnostics.error(path, "cannot read: " + problem.message(), adviceFor(path));
    return std::nullopt;
  }
  if (!(*file)->getBuffer().ltrim().starts_with("{")) {
    diagnostics.error(path, "is no manifest of a library", adviceFor(path));
    return std::nullopt;
  }
  std::optional<ConfigNode> root = readConfigTree(std::move(*file), /*isJson=*/true, diagnostics);
  return root ? ManifestReader(diagnostics).read(*root) : std::nullopt;
}

} // namespace lut

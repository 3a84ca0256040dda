#include "compiler/pack/Unpack.h"

#include "codegen/library/Packing.h"
#include "compiler/pack/AtomicFile.h"
#include "compiler/pack/Manifest.h"
#include "compiler/pack/PackedModel.h"
#include "compiler/pack/Progress.h"
#include "compiler/report/ExitCode.h"
#include "compiler/report/Log.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/GlobPattern.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Parallel.h"
#include <mutex>

using namespace llvm;

namespace lut {

namespace {

// What a thread takes at a time: rows of so many bytes, but of one row at least.
constexpr uint64_t bandBytes = 4 << 20;

// The library of a manifest in one variant, as far as reading weights takes it: the runtime then checks and
// reads a file as in an engine.
class LibraryOfManifest {
public:
  LibraryOfManifest(const Manifest &manifest, size_t variant);
  LibraryOfManifest(const LibraryOfManifest &) = delete;
  const lutc_library *get() const { return &library; }

private:
  const char *const variantName;
  const uint32_t features = 0; // none are needed: nothing runs
  lutc_library_state state = {};
  lutc_library library;
  std::vector<std::vector<float>> values;
  std::vector<lutc_variant_code> codes;
  std::vector<const lutc_variant_code *> variants;
  std::vector<lutc_kernel> kernels;
  std::vector<const lutc_kernel *> pointers;
};

// A tensor on its way from the packed file to its place in the other one.
struct Item {
  lutc_tensor tensor;
  StringRef type;
  uint64_t rows, rowBytes; // as they are written; of plain tensors one row
  uint64_t elementBytes;
  uint64_t offset = 0; // behind the header of safetensors

  uint64_t bytes() const { return rows * rowBytes; }
};

class Unpacker {
public:
  explicit Unpacker(const UnpackRequest &request) : request(request) {}
  Error run(const Manifest &manifest);

private:
  Error open(const Manifest &manifest);
  Error select();
  Error write();
  Error writeItem(const Item &item, AtomicFile &out, uint64_t data, Progress &progress) const;
  Error writeRows(const Item &item, uint64_t first, uint64_t count, AtomicFile &out, uint64_t at) const;
  Error error(StringRef tensor, const Twine &message) const {
    return createStringError(request.packed + ": '" + tensor + "' " + message);
  }

  const UnpackRequest &request;
  std::unique_ptr<MemoryBuffer> buffer;
  std::unique_ptr<LibraryOfManifest> library;
  lutc_file file;
  std::vector<Item> items;
};

} // namespace

LibraryOfManifest::LibraryOfManifest(const Manifest &manifest, size_t variant)
    : variantName(manifest.variants[variant].c_str()), codes(manifest.kernels.size()),
      kernels(manifest.kernels.size()) {
  for (const auto &[kernel, code] : zip(manifest.kernels, codes)) {
    const Packing &packing = kernel.packings[variant];
    lutc_kernel_info info = kernel.info();
    code.info = {variantName, "", sizeof(lutc_packed_header) + lutc_payload_bytes(&info, &packing.layout)};
    code.layout = packing.layout;
    code.layout_id = packing.layoutId;
    values.push_back(codeValues(kernel.format));
    variants.push_back(&code);
  }
  for (auto [index, kernel] : enumerate(kernels)) {
    kernel.info = manifest.kernels[index].info();
    kernel.info.values = values[index].data();
    kernel.library = &library;
    kernel.variant_features = &features;
    kernel.variants = &variants[index];
    pointers.push_back(&kernel);
  }
  library = {manifest.library.c_str(),
             "",
             manifest.hash,
             pointers.size(),
             pointers.data(),
             1,
             &variantName,
             0,
             nullptr,
             &state};
}

// Layouts decide which variants of the library a file is for.
Error Unpacker::open(const Manifest &manifest) {
  auto mapped = mapPacked(request.packed);
  if (!mapped)
    return mapped.takeError();
  buffer = std::move(*mapped);
  lutc_status status = LUTC_UNKNOWN_VARIANT;
  for (size_t variant = 0; variant < manifest.variants.size(); ++variant) {
    library = std::make_unique<LibraryOfManifest>(manifest, variant);
    status = lutc_open_file(library->get(), buffer->getBufferStart(), buffer->getBufferSize(), &file);
    if (status != LUTC_WRONG_LAYOUT)
      break;
  }
  if (status == LUTC_WRONG_LIBRARY)
    return createStringError(request.packed + ": packed for another library than " + request.library +
                             "; give the manifest of the library that it was packed for");
  if (status == LUTC_WRONG_LAYOUT) {
    lutc_file_header header;
    std::memcpy(&header, buffer->getBufferStart(), sizeof header);
    return createStringError(request.packed + ": packed for a variant that " + request.library + " lacks (" +
                             StringRef(header.variant, strnlen(header.variant, sizeof header.variant)) +
                             "); compile the library with it");
  }
  if (status == LUTC_OK && !file.library)
    return createStringError(request.packed +
                             ": packed without a library, whose kernels say how weights are "
                             "read; pack the checkpoint with --library, or unpack it with its own tools");
  return status == LUTC_OK ? Error::success()
                           : createStringError(request.packed + ": " + lutc_status_string(status));
}

// Larger elements first, so that all are aligned; then by name.
Error Unpacker::select() {
  std::vector<GlobPattern> patterns;
  for (const std::string &text : request.tensors) {
    auto pattern = GlobPattern::create(text);
    if (!pattern)
      return createStringError("--tensor=" + text + ": " + toString(pattern.takeError()));
    patterns.push_back(std::move(*pattern));
  }
  SmallVector<bool> matched(patterns.size());
  for (size_t i = 0; i < file.tensor_count; ++i) {
    Item item;
    (void)!lutc_tensor_at(&file, i, &item.tensor);
    StringRef name = item.tensor.name;
    bool isWanted = patterns.empty();
    for (auto [pattern, found] : zip(patterns, matched))
      if (pattern.match(name))
        isWanted = found = true;
    if (!isWanted)
      continue;
    if (!json::isUTF8(name) || name == "__metadata__")
      return error(json::fixUTF8(name), "is no name for a tensor of safetensors; leave it out with --tensor");
    bool isPacked = item.tensor.role == LUTC_PACKED;
    lutc_type type = isPacked ? LUTC_F32 : item.tensor.type;
    item.type = elementName(type);
    item.elementBytes = lutc_type_bytes(type);
    item.rows = isPacked ? item.tensor.shape[0] : 1;
    item.rowBytes = isPacked ? item.tensor.shape[1] * sizeof(float) : item.tensor.bytes;
    items.push_back(item);
  }
  if (auto missed = find(matched, false); missed != matched.end())
    return createStringError(request.packed + ": no tensor is called '" +
                             request.tensors[missed - matched.begin()] + "'; lutc inspect lists them");
  sort(items, [](const Item &a, const Item &b) {
    return std::pair(b.elementBytes, StringRef(a.tensor.name)) <
           std::pair(a.elementBytes, StringRef(b.tensor.name));
  });
  uint64_t end = 0;
  for (Item &item : items) {
    item.offset = end;
    end += item.bytes();
  }
  return Error::success();
}

// The length of the header, and the header, padded so that data are aligned.
static std::string makeHeader(ArrayRef<Item> items) {
  std::string text(8, '\0');
  raw_string_ostream out(text);
  json::OStream json(out);
  json.object([&] {
    json.attributeObject("__metadata__", [&] { json.attribute("format", "pt"); });
    for (const Item &item : items)
      json.attributeObject(item.tensor.name, [&] {
        json.attribute("dtype", item.type);
        json.attribute("shape", json::Array(ArrayRef(item.tensor.shape, item.tensor.rank)));
        json.attribute("data_offsets", json::Array{item.offset, item.offset + item.bytes()});
      });
  });
  out << std::string(offsetToAlignment(text.size(), Align(8)), ' ');
  support::endian::write64le(text.data(), text.size() - 8);
  return text;
}

Error Unpacker::writeRows(const Item &item, uint64_t first, uint64_t count, AtomicFile &out,
                          uint64_t at) const {
  uint64_t k = item.tensor.shape[1];
  std::vector<float> rows(count * k);
  lutc_status status = lutc_read_rows(&item.tensor, first, count, rows.data(), k);
  if (status != LUTC_OK)
    return error(item.tensor.name, Twine("cannot be read: ") + lutc_status_string(status));
  return out.write(at, ArrayRef(reinterpret_cast<const uint8_t *>(rows.data()), count * item.rowBytes));
}

Error Unpacker::writeItem(const Item &item, AtomicFile &out, uint64_t data, Progress &progress) const {
  lutc_status status = lutc_check_tensor(&item.tensor);
  if (status != LUTC_OK)
    return error(item.tensor.name, Twine("is damaged: ") + lutc_status_string(status));
  uint64_t begin = data + item.offset;
  if (item.tensor.role == LUTC_PLAIN) {
    progress.add(item.bytes());
    return out.write(begin, ArrayRef(static_cast<const uint8_t *>(item.tensor.data), item.bytes()));
  }
  uint64_t step = std::max<uint64_t>(1, bandBytes / item.rowBytes);
  std::mutex failing;
  Error result = Error::success();
  parallelFor(0, divideCeil(item.rows, step), [&](size_t band) {
    uint64_t first = band * step, count = std::min(step, item.rows - first);
    Error problem = writeRows(item, first, count, out, begin + first * item.rowBytes);
    progress.add(count * item.rowBytes);
    std::lock_guard<std::mutex> lock(failing);
    result = joinErrors(std::move(result), std::move(problem));
  });
  return result;
}

Error Unpacker::write() {
  std::string header = makeHeader(items);
  uint64_t bytes = items.empty() ? 0 : items.back().offset + items.back().bytes();
  auto out = AtomicFile::create(request.output, header.size() + bytes);
  if (!out)
    return out.takeError();
  {
    Progress progress("unpacking", bytes);
    for (const Item &item : items) {
      if (Error problem = writeItem(item, **out, header.size(), progress))
        return problem;
      buffer->dontNeedIfMmap(); // what has been read leaves the memory
    }
  }
  if (Error problem = (*out)->write(0, arrayRefFromStringRef(StringRef(header))))
    return problem;
  if (Error problem = (*out)->commit())
    return problem;
  if (request.verbose)
    logLine(
        formatv("wrote {0}: {1} tensors, {2} bytes", request.output, items.size(), header.size() + bytes));
  return Error::success();
}

Error Unpacker::run(const Manifest &manifest) {
  if (Error problem = open(manifest))
    return problem;
  if (Error problem = select())
    return problem;
  return write();
}

int unpack(const UnpackRequest &request) {
  SourceMgr sources;
  Diagnostics diagnostics(sources);
  std::optional<Manifest> manifest = readManifest(request.library, diagnostics);
  if (!manifest)
    return ExitError;
  if (Error problem = AtomicFile::checkReplacesNone({request.packed, request.library}, request.output))
    return reportError(std::move(problem));
  if (Error problem = Unpacker(request).run(*manifest))
    return reportError(std::move(problem));
  return ExitOk;
}

} // namespace lut

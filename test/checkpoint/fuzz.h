// What the fuzz targets share: inputs as files, and everything that reads a checkpoint.
#ifndef LUT_TEST_CHECKPOINT_FUZZ_H
#define LUT_TEST_CHECKPOINT_FUZZ_H

#include "compiler/checkpoint/ModuleList.h"
#include "compiler/checkpoint/ModuleNames.h"
#include "compiler/checkpoint/TensorNames.h"
#include "compiler/quantizers/Quantization.h"
#include <cstdlib>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace lut::test {

// A file in memory, which is opened and mapped like others.
inline std::string fileOf(const uint8_t *data, size_t size) {
  static const int file = memfd_create("input", 0);
  if (ftruncate(file, 0) || write(file, data, size) != ssize_t(size) || lseek(file, 0, SEEK_SET))
    abort();
  return "/proc/self/fd/" + std::to_string(file);
}

// An error has one line, and says which file.
inline void expectGood(llvm::Error problem) {
  std::string text = toString(std::move(problem));
  if (text.find('\n') != std::string::npos || text.find(": ") == std::string::npos) {
    llvm::errs() << "no good error: " << text << "\n";
    abort();
  }
}

// Opens a layer, and reads all its rows.
inline void readLayer(const Checkpoint &checkpoint, const WeightStorage &storage, llvm::StringRef module,
                      std::optional<Format> format) {
  auto source = openWeights(checkpoint, storage, module, format);
  if (!source)
    return expectGood(source.takeError());
  const WeightSource &it = **source;
  if (it.n < 1 || it.k < 1)
    abort();
  if (it.n > (1 << 22) / it.k) // extents of a tensor without bytes may be large
    return;
  std::vector<uint8_t> memory(WeightBand::bytes(it.format, it.k, it.n));
  WeightBand band(it.format, it.k, it.n, memory.data());
  if (llvm::Error problem = it.readRows(0, band))
    return expectGood(std::move(problem));
  for (int64_t i = 0; i < it.n * it.k; ++i)
    if (band.codes()[i] >= it.format.row->codes())
      abort();
  if (!it.columns().empty() && !it.format.permuted)
    abort();
  for (int32_t column : it.columns())
    if (column < 0 || column >= it.k)
      abort();
}

// All that a packed file would call the tensors and layers.
inline void readNames(const Checkpoint &checkpoint) {
  for (Naming naming : {Naming::HuggingFace, Naming::Checkpoint}) {
    TensorNames names(checkpoint, naming);
    for (const Tensor &tensor : checkpoint.tensors)
      if (TensorNames::Plain plain = names.plain(tensor); plain.name.empty() && !tensor.name.empty())
        abort();
    for (const CheckpointModule &module : listModules(checkpoint))
      if (names.module(module.name).source.empty() && !module.name.empty())
        abort();
  }
}

inline void readAll(const Checkpoint &checkpoint) {
  readNames(checkpoint);
  std::string text;
  llvm::raw_string_ostream out(text);
  for (const MetadataEntry &entry : checkpoint.metadata.entries)
    entry.value.print(out);
  for (const Tensor &tensor : checkpoint.tensors) {
    if (tensor.bytes.size() != tensor.type->bytesOf(tensor.elements()))
      abort();
    [[maybe_unused]] volatile uint8_t sum = 0; // a map beyond the file would be fatal
    if (!tensor.bytes.empty())
      sum = tensor.bytes.front() + tensor.bytes.back();
    for (const std::string &module : modulesOfGguf(checkpoint, tensor.name))
      readLayer(checkpoint, WeightStorage(), module, std::nullopt);
    llvm::StringRef module = tensor.name;
    for (llvm::StringRef suffix : {".qweight", ".weight_packed", ".weight", "_blocks"})
      if (module.consume_back(suffix))
        break;
    const Quantization storage = checkpoint.isGguf() ? Quantization() : quantizationOf(checkpoint);
    readLayer(checkpoint, storage, module, std::nullopt);
    readLayer(checkpoint, storage, module, llvm::cantFail(parseFormat("w4g32zp")));
  }
}

} // namespace lut::test

#endif

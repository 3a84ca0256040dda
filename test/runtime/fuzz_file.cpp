// The opener on any bytes: as they are, and with the checksums of header and table made right, so that what
// lies behind these is reached. What has been opened is read as an engine would.
#include "model_file.h"
#include "toy.h"
#include <cstdio>
#include <cstdlib>
#include <vector>

using namespace lut;

namespace {

constexpr uint64_t hash = 7;

void require(bool fact) {
  if (!fact)
    std::abort();
}

void use(const lutc_tensor &tensor) {
  require(uintptr_t(tensor.data) % LUTC_ALIGNMENT == 0 && tensor.rank <= LUTC_MAX_RANK);
  volatile uint8_t last = tensor.bytes ? static_cast<const uint8_t *>(tensor.data)[tensor.bytes - 1] : 0;
  (void)last;
  (void)lutc_check_tensor(&tensor);
  // The last row, whatever it is.
  const size_t row = tensor.rank ? tensor.shape[tensor.rank - 1] : 1;
  if (row && row <= tensor.bytes * 8) {
    const size_t n =
        tensor.role == LUTC_PACKED ? tensor.shape[0] : tensor.bytes / lutc_type_bytes(tensor.type) / row;
    std::vector<float> values(row);
    const lutc_status status = lutc_read_rows(&tensor, n ? n - 1 : 0, 1, values.data(), row);
    require(status == (n ? LUTC_OK : LUTC_BAD_RANGE) || tensor.role == LUTC_PACKED);
  }
}

void open(Mapped &bytes) {
  static toy::Library toy;
  toy.library.hash = hash;
  lutc_file file;
  if (lutc_open_file(&toy.library, bytes.data(), bytes.size(), &file) != LUTC_OK) {
    require(file.tensor_count == 0);
    return;
  }
  for (size_t i = 0; i < file.tensor_count; ++i) {
    lutc_tensor tensor, found;
    require(lutc_tensor_at(&file, i, &tensor) == LUTC_OK);
    require(lutc_find_tensor(&file, tensor.name, &found) == LUTC_OK && found.data == tensor.data);
    use(tensor);
  }
}

std::vector<uint8_t> seed() {
  toy::Library toy;
  const std::vector<uint8_t> codes(toy::n * toy::k, 3), zeros(toy::n * 3);
  const std::vector<uint16_t> scales(toy::n * 3, 0x3c00);
  const lutc_weights weights = {codes.data(), 0,       scales.data(), zeros.data(),
                                nullptr,      nullptr, nullptr,       nullptr};
  Mapped packed{std::vector<uint8_t>(toy::packedBytes)};
  require(lutc_pack(&toy.kernel, &weights, packed.data(), packed.size()) == LUTC_OK);
  ModelFile model;
  model.libraryHash = hash;
  model.addPlain("norm.weight", LUTC_F16, {2, 3}, std::vector<uint8_t>(12, 1));
  model.addPacked("up.weight", toy.kernel.info, 0, 1, {packed.data(), packed.data() + packed.size()});
  model.addShared("up_tied.weight", 1);
  return model.build();
}

} // namespace

// Puts a good file into the corpus, the last argument.
extern "C" int LLVMFuzzerInitialize(int *argc, char ***argv) {
  const std::vector<uint8_t> bytes = seed();
  std::FILE *file = std::fopen((std::string((*argv)[*argc - 1]) + "/good").c_str(), "wb");
  require(file && std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size() && std::fclose(file) == 0);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Mapped bytes{std::vector<uint8_t>(data, data + size)};
  open(bytes);
  if (size >= sizeof(lutc_file_header)) {
    ModelFile::seal(bytes.data(), bytes.size());
    open(bytes);
  }
  return 0;
}

// Packed models: opened, searched, verified; every way in which one is refused.
#include "model_file.h"
#include "toy.h"
#include <functional>
#include <gtest/gtest.h>

using namespace lut;

namespace {

enum Index { Embedding, Norm, Weights, Small, Count };

// Tensors of the toy library in the layout of its variant "first"; each test spoils one thing.
struct File : testing::Test {
  File() {
    toy.library.hash = model.libraryHash = 0x1234567890abcdef;
    model.addPlain("embedding.weight", LUTC_BF16, {3, 5}, std::vector<uint8_t>(30, 7));
    model.addPlain("norm.weight", LUTC_F32, {9}, std::vector<uint8_t>(36, 8));
    model.addPacked("up.weight", toy.kernel.info, 0, 1, pack(toy.kernel));
    model.addPacked("up_small.weight", toy.smallKernel.info, 1, 1, pack(toy.smallKernel));
  }

  std::vector<uint8_t> pack(const lutc_kernel &kernel) {
    const lutc_weights weights = {codes.data(), 0,       scales.data(), zeros.data(),
                                  nullptr,      nullptr, nullptr,       nullptr};
    Mapped memory{std::vector<uint8_t>(toy::packedBytes)};
    EXPECT_EQ(lutc_pack(&kernel, &weights, memory.data(), memory.size()), LUTC_OK);
    return {memory.data(), memory.data() + memory.size()};
  }

  lutc_status open(const std::vector<uint8_t> &bytes) {
    mapped = std::make_unique<Mapped>(bytes);
    return lutc_open_file(&toy.library, mapped->data(), mapped->size(), &file);
  }
  lutc_status open() { return open(model.build()); }

  // After `change` to the header or to the record of a tensor; checksums are right again.
  lutc_status openChanged(const std::function<void(lutc_file_header &)> &change) {
    std::vector<uint8_t> bytes = model.build();
    lutc_file_header header;
    std::memcpy(&header, bytes.data(), sizeof header);
    change(header);
    std::memcpy(bytes.data(), &header, sizeof header);
    ModelFile::seal(bytes.data(), bytes.size());
    return open(bytes);
  }
  lutc_status openChanged(Index index, const std::function<void(lutc_file_record &)> &change) {
    std::vector<uint8_t> bytes = model.build();
    uint8_t *at = bytes.data() + sizeof(lutc_file_header) + index * sizeof(lutc_file_record);
    lutc_file_record record;
    std::memcpy(&record, at, sizeof record);
    change(record);
    std::memcpy(at, &record, sizeof record);
    ModelFile::seal(bytes.data(), bytes.size());
    return open(bytes);
  }

  toy::Library toy;
  std::vector<uint8_t> codes = std::vector<uint8_t>(toy::n * toy::k, 3),
                       zeros = std::vector<uint8_t>(toy::n * 3);
  std::vector<uint16_t> scales = std::vector<uint16_t>(toy::n * 3, 0x3c00);
  ModelFile model;
  std::unique_ptr<Mapped> mapped;
  lutc_file file;
  lutc_tensor tensor;
};

TEST_F(File, FindsTensorsByName) {
  ASSERT_EQ(open(), LUTC_OK);
  EXPECT_EQ(file.tensor_count, size_t(Count));
  ASSERT_EQ(lutc_find_tensor(&file, "embedding.weight", &tensor), LUTC_OK);
  EXPECT_STREQ(tensor.name, "embedding.weight");
  EXPECT_EQ(tensor.role, LUTC_PLAIN);
  EXPECT_EQ(tensor.type, LUTC_BF16);
  ASSERT_EQ(tensor.rank, 2u);
  EXPECT_EQ(tensor.shape[0], 3u);
  EXPECT_EQ(tensor.shape[1], 5u);
  EXPECT_EQ(tensor.bytes, 30u);
  EXPECT_EQ(std::memcmp(tensor.data, model.entries[Embedding].bytes.data(), 30), 0);
  EXPECT_EQ(tensor.kernel, nullptr);
  for (const char *missing : {"", "a", "embedding.weigh", "embedding.weight2", "up", "up.weights", "zz"}) {
    EXPECT_EQ(lutc_find_tensor(&file, missing, &tensor), LUTC_UNKNOWN_TENSOR) << missing;
    EXPECT_EQ(tensor.data, nullptr);
  }
}

TEST_F(File, NumbersTensorsByName) {
  ASSERT_EQ(open(), LUTC_OK);
  for (size_t i = 0; i < Count; ++i) {
    ASSERT_EQ(lutc_tensor_at(&file, i, &tensor), LUTC_OK);
    EXPECT_EQ(tensor.name, model.entries[i].name);
    EXPECT_EQ(uintptr_t(tensor.data) % LUTC_ALIGNMENT, 0u);
    ASSERT_EQ(lutc_find_tensor(&file, model.entries[i].name.c_str(), &tensor), LUTC_OK);
    EXPECT_EQ(tensor.bytes, model.entries[i].bytes.size());
    EXPECT_EQ(lutc_check_tensor(&tensor), LUTC_OK);
  }
  EXPECT_EQ(lutc_tensor_at(&file, Count, &tensor), LUTC_UNKNOWN_TENSOR);
}

TEST_F(File, RunsWeightsWhereTheyLie) {
  ASSERT_EQ(open(), LUTC_OK);
  ASSERT_EQ(lutc_check_file(&file), LUTC_OK);
  ASSERT_EQ(lutc_find_tensor(&file, "up.weight", &tensor), LUTC_OK);
  ASSERT_EQ(tensor.kernel, &toy.kernel);
  std::vector<float> x(toy::k, 2.0f), y(toy::n);
  alignas(64) uint8_t scratch[toy::preparedBytes];
  ASSERT_EQ(lutc_run(tensor.kernel, 1, x.data(), toy::k, tensor.data, y.data(), toy::n, scratch,
                     sizeof scratch, nullptr),
            LUTC_OK);
  for (size_t row = 0; row < toy::n; ++row)
    EXPECT_EQ(y[row], toy::expected(2.0f, row));
  ASSERT_EQ(lutc_find_tensor(&file, "up_small.weight", &tensor), LUTC_OK);
  EXPECT_EQ(tensor.kernel, &toy.smallKernel);
}

TEST_F(File, MayBeEmptyAndFollowedByOtherBytes) {
  std::vector<uint8_t> bytes = model.build();
  bytes.resize(bytes.size() + 100);
  EXPECT_EQ(open(bytes), LUTC_OK);
  model.entries.clear();
  ASSERT_EQ(open(), LUTC_OK);
  EXPECT_EQ(lutc_check_file(&file), LUTC_OK);
  EXPECT_EQ(lutc_find_tensor(&file, "norm.weight", &tensor), LUTC_UNKNOWN_TENSOR);
}

TEST_F(File, NeedsPointersAndAlignment) {
  ASSERT_EQ(open(), LUTC_OK);
  EXPECT_EQ(lutc_open_file(nullptr, mapped->data(), mapped->size(), &file), LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_open_file(&toy.library, nullptr, mapped->size(), &file), LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_open_file(&toy.library, mapped->data(), mapped->size(), nullptr), LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_tensor_at(nullptr, 0, &tensor), LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_tensor_at(&file, 0, nullptr), LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_find_tensor(nullptr, "", &tensor), LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_find_tensor(&file, nullptr, &tensor), LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_find_tensor(&file, "", nullptr), LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_check_tensor(nullptr), LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_check_file(nullptr), LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_open_file(&toy.library, mapped->data() + 32, mapped->size() - 32, &file), LUTC_MISALIGNED);
  EXPECT_EQ(file.tensor_count, 0u); // a refused file has no tensors
}

TEST_F(File, IsOfOneLibraryVariantAndVersion) {
  std::vector<uint8_t> bytes = model.build();
  bytes[0] ^= 1;
  EXPECT_EQ(open(bytes), LUTC_NOT_PACKED);
  EXPECT_EQ(open(pack(toy.kernel)), LUTC_NOT_PACKED); // weights alone are no file
  EXPECT_EQ(openChanged([](auto &header) { ++header.version; }), LUTC_WRONG_VERSION);
  EXPECT_EQ(openChanged([](auto &header) { ++header.library_hash; }), LUTC_WRONG_LIBRARY);
  ASSERT_EQ(lutc_use_variant(&toy.library, "second"), LUTC_OK);
  EXPECT_EQ(open(), LUTC_WRONG_LAYOUT);
  ASSERT_EQ(lutc_use_variant(&toy.library, "first"), LUTC_OK);
  EXPECT_EQ(open(), LUTC_OK);
  toy::Library future(1u << 30);
  future.library.hash = toy.library.hash;
  EXPECT_EQ(lutc_open_file(&future.library, mapped->data(), mapped->size(), &file), LUTC_UNSUPPORTED_CPU);
}

// Of no library: it opens with any, in any variant, and kernels are the caller's to make.
TEST_F(File, MayBeOfNoLibrary) {
  ASSERT_EQ(lutc_use_variant(&toy.library, "second"), LUTC_OK);
  ASSERT_EQ(openChanged([](auto &header) { header.library_hash = 0; }), LUTC_OK);
  EXPECT_EQ(file.library, nullptr);
  ASSERT_EQ(lutc_check_file(&file), LUTC_OK);
  lutc_tensor packed = {};
  ASSERT_EQ(lutc_find_tensor(&file, "up.weight", &packed), LUTC_OK);
  ASSERT_EQ(packed.role, LUTC_PACKED);
  EXPECT_EQ(packed.kernel, nullptr);
  EXPECT_EQ(lutc_check_packed(&toy.kernel, packed.data, packed.bytes), LUTC_WRONG_LAYOUT);
  ASSERT_EQ(lutc_use_variant(&toy.library, "first"), LUTC_OK);
  EXPECT_EQ(lutc_check_packed(&toy.kernel, packed.data, packed.bytes), LUTC_OK);
  std::vector<float> row(packed.shape[1]);
  EXPECT_EQ(lutc_read_rows(&packed, 0, 1, row.data(), row.size()), LUTC_NULL_POINTER);
  packed.kernel = &toy.kernel;
  EXPECT_EQ(lutc_read_rows(&packed, 0, 1, row.data(), row.size()), LUTC_OK);
  uint8_t *bytes = mapped->data() + (static_cast<const uint8_t *>(packed.data) - mapped->data());
  packed.kernel = nullptr;
  for (size_t at : {size_t(0), size_t(8), sizeof(lutc_packed_header), packed.bytes - 1}) {
    bytes[at] ^= 1;
    EXPECT_NE(lutc_check_tensor(&packed), LUTC_OK) << at;
    bytes[at] ^= 1;
  }
  packed.bytes -= 64;
  EXPECT_EQ(lutc_check_tensor(&packed), LUTC_CORRUPT);
}

TEST(SumRows, OfPartsAddUp) {
  std::vector<uint8_t> rows(7 * 18);
  for (size_t i = 0; i < rows.size(); ++i)
    rows[i] = uint8_t(i * 37);
  auto sum = [&](size_t first, size_t count) {
    return lutc_sum_rows(rows.data() + first * 18, 18, first, count);
  };
  const uint64_t all = sum(0, 7);
  EXPECT_EQ(sum(0, 3) + sum(3, 4), all);
  for (uint8_t &byte : rows) {
    ++byte;
    EXPECT_NE(sum(0, 7), all);
    --byte;
  }
  std::swap_ranges(rows.begin(), rows.begin() + 18, rows.begin() + 18);
  EXPECT_NE(sum(0, 7), all);
}

TEST_F(File, IsRefusedWhenCutOffAnywhere) {
  const std::vector<uint8_t> bytes = model.build();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const lutc_status status = open({bytes.begin(), bytes.begin() + ptrdiff_t(size)});
    ASSERT_EQ(status, size < 8 ? LUTC_NOT_PACKED : LUTC_TRUNCATED) << size;
  }
}

// Header, table and names are checked when the file is opened; tensors when asked for.
TEST_F(File, NoticesEveryDamagedByte) {
  const std::vector<uint8_t> good = model.build();
  ASSERT_EQ(open(good), LUTC_OK);
  size_t metadata = sizeof(lutc_file_header) + Count * sizeof(lutc_file_record);
  for (const ModelFile::Entry &entry : model.entries)
    metadata += entry.name.size() + 1;
  for (size_t i = 0; i < metadata; ++i) {
    std::vector<uint8_t> bytes = good;
    bytes[i] ^= 0x10;
    ASSERT_EQ(open(bytes), i < 8 ? LUTC_NOT_PACKED : i < 12 ? LUTC_WRONG_VERSION : LUTC_CORRUPT) << i;
  }
  for (size_t index = 0; index < Count; ++index) {
    ASSERT_EQ(open(good), LUTC_OK);
    ASSERT_EQ(lutc_tensor_at(&file, index, &tensor), LUTC_OK);
    uint8_t *data = static_cast<uint8_t *>(const_cast<void *>(tensor.data));
    for (size_t i = 0; i < tensor.bytes; ++i) {
      data[i] ^= 1;
      ASSERT_NE(lutc_check_tensor(&tensor), LUTC_OK) << index << " " << i;
      data[i] ^= 1;
    }
    data[tensor.bytes - 1] ^= 1;
    EXPECT_EQ(lutc_check_tensor(&tensor), LUTC_CORRUPT);
    EXPECT_EQ(lutc_check_file(&file), LUTC_CORRUPT);
  }
}

// Weights whose own checksums are right, but which are not those that were put into the file.
TEST_F(File, NoticesExchangedWeights) {
  ASSERT_EQ(open(), LUTC_OK);
  ASSERT_EQ(lutc_find_tensor(&file, "up.weight", &tensor), LUTC_OK);
  std::fill(codes.begin(), codes.end(), 1);
  std::vector<uint8_t> other = pack(toy.kernel);
  std::memcpy(const_cast<void *>(tensor.data), other.data(), other.size());
  EXPECT_EQ(lutc_check_packed(tensor.kernel, tensor.data, tensor.bytes), LUTC_OK);
  EXPECT_EQ(lutc_check_tensor(&tensor), LUTC_CORRUPT);
}

TEST_F(File, HeaderHasToFit) {
  const uint64_t most = ~uint64_t(0);
  EXPECT_EQ(openChanged([&](auto &header) { header.file_bytes = most; }), LUTC_TRUNCATED);
  EXPECT_EQ(openChanged([&](auto &header) { header.file_bytes = 0; }), LUTC_CORRUPT);
  EXPECT_EQ(openChanged([&](auto &header) { header.tensor_count = UINT32_MAX; }), LUTC_CORRUPT);
  EXPECT_EQ(openChanged([&](auto &header) { ++header.tensor_count; }), LUTC_CORRUPT);
  for (uint64_t bytes : {most, most - 4096, uint64_t(0), uint64_t(1)})
    EXPECT_EQ(openChanged([&](auto &header) { header.names_bytes = bytes; }), LUTC_CORRUPT) << bytes;
}

TEST_F(File, RecordsHaveToFit) {
  using Record = lutc_file_record;
  const uint64_t most = ~uint64_t(0);
  const std::pair<Index, std::function<void(Record &)>> changes[] = {
      {Norm, [&](Record &r) { r.name = most; }},
      {Norm, [&](Record &r) { r.name = 0; }},       // the name before it once more
      {Norm, [&](Record &r) { r.name = 17 + 12; }}, // of a later tensor
      {Norm, [&](Record &r) { r.offset += 32; }},
      {Norm, [&](Record &r) { r.offset -= 64; }}, // over the tensor before it
      {Norm, [&](Record &r) { r.offset = most - 63; }},
      {Norm, [&](Record &r) { r.bytes = most; }},
      {Norm, [&](Record &r) { r.bytes -= 4; }},
      {Norm, [&](Record &r) { r.role = 9; }},
      {Norm, [&](Record &r) { r.type = LUTC_F16; }},
      {Norm, [&](Record &r) { r.type = 99; }},
      {Norm, [&](Record &r) { r.rank = 5; }},
      {Norm, [&](Record &r) { r.rank = 0; }},
      {Norm, [&](Record &r) { r.shape[0] = most / 2; }},
      {Embedding, [&](Record &r) { r.offset = 0; }},
      {Embedding, [&](Record &r) { r.shape[0] = r.shape[1] = uint64_t(1) << 32; }},
      {Weights, [&](Record &r) { r.kernel = 2; }},
      {Weights, [&](Record &r) { r.kernel = 1; }}, // of another shape
      {Weights, [&](Record &r) { r.bytes += 64; }},
      {Weights, [&](Record &r) { r.bytes -= 64; }},
      {Weights, [&](Record &r) { r.rank = 1; }}};
  for (size_t i = 0; i < std::size(changes); ++i)
    EXPECT_EQ(openChanged(changes[i].first, changes[i].second), LUTC_CORRUPT) << "change " << i;
  EXPECT_EQ(openChanged(Weights, [](Record &r) { r.layout_id = 7; }), LUTC_WRONG_LAYOUT);
}

// Records may have the bytes of one before them, if they say nothing else of these.
TEST_F(File, SharesBytes) {
  model.addShared("up_tied.weight", Weights);
  model.addPlain("zero.weight", LUTC_U8, {3}, {1, 2, 3});
  ASSERT_EQ(open(), LUTC_OK);
  ASSERT_EQ(lutc_check_file(&file), LUTC_OK);
  lutc_tensor owner;
  ASSERT_EQ(lutc_find_tensor(&file, "up.weight", &owner), LUTC_OK);
  ASSERT_EQ(lutc_find_tensor(&file, "up_tied.weight", &tensor), LUTC_OK);
  EXPECT_STREQ(tensor.name, "up_tied.weight");
  EXPECT_EQ(tensor.data, owner.data);
  EXPECT_EQ(tensor.kernel, &toy.kernel);
  const Index tied = Count;
  using Record = lutc_file_record;
  const std::function<void(Record &)> changes[] = {
      [](Record &r) { r.shared = 0; }, // over the bytes of another one
      [](Record &r) { r.shared = Count + 1; }, // itself
      [](Record &r) { r.shared = Count + 2; }, // one behind it
      [](Record &r) { r.shared = UINT32_MAX; }, [](Record &r) { r.shared = Norm + 1; },
      [](Record &r) { r.offset += 64; },        [](Record &r) { r.bytes -= 64; },
      [](Record &r) { r.checksum ^= 1; },       [](Record &r) { r.role = LUTC_PLAIN; },
      [](Record &r) { r.type = LUTC_I8; },      [](Record &r) { r.kernel = 1; },
      [](Record &r) { r.layout_id = 2; },       [](Record &r) { r.rank = 1; },
      [](Record &r) { r.shape[0] -= 1; }};
  for (size_t i = 0; i < std::size(changes); ++i)
    EXPECT_EQ(openChanged(tied, changes[i]), LUTC_CORRUPT) << "change " << i;
  // Of one that shares as well.
  model.entries.pop_back();
  model.addShared("up_twice.weight", Weights);
  ASSERT_EQ(open(), LUTC_OK);
  EXPECT_EQ(openChanged(Index(Count + 1), [](Record &r) { r.shared = Count + 1; }), LUTC_CORRUPT);
}

TEST_F(File, IsOfThisVersion) {
  EXPECT_EQ(openChanged([](auto &header) { header.version = LUTC_FILE_VERSION - 1; }), LUTC_WRONG_VERSION);
  EXPECT_EQ(openChanged([](auto &header) { header.version = 0; }), LUTC_WRONG_VERSION);
  EXPECT_EQ(openChanged([](auto &header) { header.version = LUTC_FILE_VERSION + 1; }), LUTC_WRONG_VERSION);
}

TEST_F(File, NamesEndInTheFile) {
  std::vector<uint8_t> bytes = model.build();
  lutc_file_header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  bytes[sizeof header + Count * sizeof(lutc_file_record) + header.names_bytes - 1] = 'x';
  ModelFile::seal(bytes.data(), bytes.size());
  EXPECT_EQ(open(bytes), LUTC_CORRUPT);
}

TEST(TypeBytes, AreOfEveryType) {
  const size_t expected[] = {4, 2, 2, 1, 1, 2, 2, 4, 4, 8, 8, 8, 1, 1, 1};
  for (int type = 0; type < 15; ++type)
    EXPECT_EQ(lutc_type_bytes(lutc_type(type)), expected[type]) << type;
  EXPECT_EQ(lutc_type_bytes(lutc_type(15)), 0u);
}

} // namespace

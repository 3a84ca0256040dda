// A packed model put together by hand, for the toy library or any other.
#ifndef LUT_TEST_RUNTIME_MODEL_FILE_H
#define LUT_TEST_RUNTIME_MODEL_FILE_H

#include "file.h"
#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <vector>

namespace lut {

struct ModelFile {
  struct Entry {
    std::string name;
    lutc_file_record record; // name, offset, bytes and checksum are filled in
    std::vector<uint8_t> bytes;
  };
  std::vector<Entry> entries; // by name
  uint64_t libraryHash = 0;

  void addPlain(const std::string &name, lutc_type type, std::vector<uint64_t> shape,
                std::vector<uint8_t> bytes) {
    Entry entry{name, {}, std::move(bytes)};
    entry.record.role = LUTC_PLAIN;
    entry.record.type = uint32_t(type);
    entry.record.rank = uint32_t(shape.size());
    for (size_t i = 0; i < shape.size(); ++i)
      entry.record.shape[i] = shape[i];
    entries.push_back(std::move(entry));
  }

  void addPacked(const std::string &name, const lutc_kernel_info &info, uint32_t kernel, uint32_t layoutId,
                 std::vector<uint8_t> packed) {
    addPlain(name, LUTC_U8, {info.n, info.k}, std::move(packed));
    lutc_file_record &record = entries.back().record;
    record.role = LUTC_PACKED;
    record.kernel = kernel;
    record.layout_id = layoutId;
  }

  // The bytes of an earlier entry, under another name.
  void addShared(const std::string &name, size_t owner) {
    entries.push_back({name, entries[owner].record, {}});
    entries.back().record.shared = uint32_t(owner) + 1;
  }

  // The bytes of the file.
  std::vector<uint8_t> build() const {
    std::string names;
    std::vector<lutc_file_record> table;
    for (const Entry &entry : entries) {
      table.push_back(entry.record);
      table.back().name = names.size();
      names += entry.name + '\0';
    }
    const size_t tableBytes = table.size() * sizeof(lutc_file_record);
    std::vector<uint8_t> file(sizeof(lutc_file_header) + tableBytes + names.size());
    size_t alignment = LUTC_FILE_PAGE;
    for (size_t i = 0; i < entries.size(); ++i) {
      if (const uint32_t shared = entries[i].record.shared) {
        const lutc_file_record &owner = table[shared - 1];
        table[i].offset = owner.offset;
        table[i].bytes = owner.bytes;
        table[i].checksum = owner.checksum;
        continue;
      }
      file.resize((file.size() + alignment - 1) / alignment * alignment);
      table[i].offset = file.size();
      table[i].bytes = entries[i].bytes.size();
      table[i].checksum = checksumOf(entries[i]);
      alignment = LUTC_ALIGNMENT;
      file.insert(file.end(), entries[i].bytes.begin(), entries[i].bytes.end());
    }
    const uint8_t *tableData = reinterpret_cast<const uint8_t *>(table.data());
    std::copy_n(tableData, tableBytes, file.begin() + sizeof(lutc_file_header));
    std::copy_n(names.begin(), names.size(), file.begin() + ptrdiff_t(sizeof(lutc_file_header) + tableBytes));
    lutc_file_header header = {};
    std::memcpy(header.magic, LUTC_FILE_MAGIC, sizeof header.magic);
    header.version = LUTC_FILE_VERSION;
    header.tensor_count = uint32_t(entries.size());
    header.library_hash = libraryHash;
    std::strcpy(header.variant, "first");
    header.names_bytes = names.size();
    header.file_bytes = file.size();
    std::memcpy(file.data(), &header, sizeof header);
    seal(file.data(), file.size());
    return file;
  }

  // Makes the checksums of header and table those of what is there.
  static void seal(uint8_t *file, size_t bytes) {
    lutc_file_header header;
    if (bytes < sizeof header)
      return;
    std::memcpy(&header, file, sizeof header);
    const size_t rest = bytes - sizeof header, table = header.tensor_count * sizeof(lutc_file_record);
    if (table <= rest && header.names_bytes <= rest - table)
      header.table_checksum = sum(file + sizeof header, table + header.names_bytes);
    header.header_checksum = sum(&header, offsetof(lutc_file_header, header_checksum));
    std::memcpy(file, &header, sizeof header);
  }

private:
  static uint64_t sum(const void *data, size_t bytes) {
    lutc_sum sum;
    lutc_sum_begin(&sum);
    return lutc_sum_end(&sum, data, bytes);
  }
  static uint64_t checksumOf(const Entry &entry) {
    if (entry.record.role != LUTC_PACKED)
      return sum(entry.bytes.data(), entry.bytes.size());
    lutc_packed_header header;
    std::memcpy(&header, entry.bytes.data(), sizeof header);
    return header.header_checksum;
  }
};

// Bytes at a multiple of LUTC_ALIGNMENT, with nothing readable behind them.
class Mapped {
public:
  explicit Mapped(const std::vector<uint8_t> &bytes) : count(bytes.size()) {
    address = static_cast<uint8_t *>(::operator new(count, std::align_val_t(LUTC_ALIGNMENT)));
    if (count)
      std::memcpy(address, bytes.data(), count);
  }
  Mapped(const Mapped &) = delete;
  ~Mapped() { ::operator delete(address, std::align_val_t(LUTC_ALIGNMENT)); }
  uint8_t *data() { return address; }
  size_t size() const { return count; }

private:
  uint8_t *address;
  size_t count;
};

} // namespace lut

#endif

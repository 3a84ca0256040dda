#include "compiler/pack/Packer.h"

#include "compiler/checkpoint/ModuleNames.h"
#include "compiler/pack/AtomicFile.h"
#include "compiler/pack/Progress.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemAlloc.h"
#include "llvm/Support/ThreadPool.h"
#include <cstring>
#include <deque>
#include <numeric>

using namespace llvm;

namespace lut {

namespace {

// What one task takes at a time: the codes of a band of rows, or as many bytes of a plain tensor. All tasks
// together stay within the budget, up to one tile of rows each.

// Of all threads: the codes of their bands, and as much of the checkpoint that is mapped.
constexpr uint64_t budget = 256 << 20;
constexpr uint64_t readBackBytes = 1 << 20; // stays in the cache between copy and checksum

// An item on its way into the file.
struct Job {
  Job(PackItem &item, uint64_t bands) : item(item), bandsLeft(bands) {}
  PackItem &item;
  std::atomic<uint64_t> bandsLeft, source = 0; // source: as in the record
};

class Packer {
public:
  Packer(const Checkpoint &checkpoint, PackPlan &plan, AtomicFile &file, Progress &progress,
         uint64_t bandBytes)
      : checkpoint(checkpoint), plan(plan), file(file), progress(progress),
        bandBytes(std::min(bandBytes, share)) {}

  Error run();

private:
  // Works on units [first, first + count) of an item: rows or bytes.
  using Work = Error (Packer::*)(const PackItem &item, uint64_t first, uint64_t count);
  struct Cut {
    Work work;
    uint64_t units, step;
  };

  Cut cut(const PackItem &item) const;
  void start(PackItem &item);
  void runBand(Job &job, Work work, uint64_t first, uint64_t count);
  void fail(Error problem);
  Error packRows(const PackItem &item, uint64_t first, uint64_t count);
  Error copyBytes(const PackItem &item, uint64_t first, uint64_t count);
  Error convertRows(const PackItem &item, uint64_t first, uint64_t count);
  Error seal(Job &job);
  Expected<uint64_t> checksum(uint64_t begin, uint64_t end) const;

  const Checkpoint &checkpoint;
  PackPlan &plan;
  AtomicFile &file;
  Progress &progress;
  std::deque<Job> jobs;
  std::mutex failing;
  std::atomic<bool> failed = false;
  Error result = Error::success();
  DefaultThreadPool pool{hardware_concurrency()};
  const uint64_t share = budget / pool.getMaxConcurrency();
  const uint64_t bandBytes;
};

struct AlignedBuffer {
  explicit AlignedBuffer(size_t bytes)
      : bytes(bytes), data(static_cast<uint8_t *>(allocate_buffer(bytes, LUTC_ALIGNMENT))) {}
  AlignedBuffer(const AlignedBuffer &) = delete;
  ~AlignedBuffer() { deallocate_buffer(data, bytes, LUTC_ALIGNMENT); }
  const size_t bytes;
  uint8_t *const data;
};

} // namespace

void Packer::fail(Error problem) {
  std::lock_guard<std::mutex> lock(failing);
  if (failed.exchange(true))
    consumeError(std::move(problem)); // one is enough
  else
    result = joinErrors(std::move(result), std::move(problem));
}

//===----------------------------------------------------------------------===//
// Bands
//===----------------------------------------------------------------------===//

// The order of a layer's columns, written out where they are in their own.
static std::vector<int32_t> columnsOf(const WeightSource &source) {
  std::vector<int32_t> columns = source.columns();
  if (columns.empty()) {
    columns.resize(size_t(source.k));
    std::iota(columns.begin(), columns.end(), 0);
  }
  return columns;
}

Error Packer::packRows(const PackItem &item, uint64_t first, uint64_t count) {
  lutc_kernel_info whole = item.kernel->info(), rows = whole;
  const lutc_layout &layout = item.packing->layout;
  rows.n = count;
  AlignedBuffer memory(WeightBand::bytes(item.kernel->format, item.kernel->k, int64_t(count))),
      payload(lutc_payload_bytes(&rows, &layout));
  WeightBand band(item.kernel->format, item.kernel->k, int64_t(count), memory.data);
  if (Error problem = item.source->readRows(int64_t(first), band))
    return problem;
  std::vector<int32_t> columns = columnsOf(*item.source);
  lutc_weights weights = band.weights();
  weights.columns = columns.data();
  lutc_status status = lutc_pack_payload(&rows, &layout, &weights, payload.data, payload.bytes);
  if (status != LUTC_OK)
    return createStringError(checkpoint.path + ": '" + item.source->name +
                             "': " + lutc_status_string(status));
  uint64_t begin = item.record.offset + sizeof(lutc_packed_header);
  lutc_piece piece;
  for (size_t i = 0; lutc_band_piece(&whole, &layout, first, count, i, &piece); ++i) {
    if (Error problem = file.write(begin + piece.to, ArrayRef(payload.data + piece.from, piece.bytes)))
      return problem;
    progress.add(piece.bytes);
  }
  return Error::success();
}

Error Packer::copyBytes(const PackItem &item, uint64_t first, uint64_t count) {
  progress.add(count);
  return file.write(item.record.offset + first, item.tensors.front()->bytes.slice(first, count));
}

// Whether the bytes of a plain tensor are those of the checkpoint.
static bool isCopied(const PackItem &item) {
  bool hasOrder = item.interleavedHalf == 0, hasValues = item.offset == 0 && item.factor == 1;
  return item.record.bytes == item.tensors.front()->bytes.size() &&
         (item.record.bytes == 0 || (hasOrder && hasValues));
}

// Of a plain tensor: as long as the innermost extent; of a vector one element or block.
static uint64_t rowElements(const Tensor &tensor) {
  return uint64_t(tensor.shape.size() >= 2 ? tensor.shape.back() : tensor.type->block);
}

Error Packer::convertRows(const PackItem &item, uint64_t first, uint64_t count) {
  const Tensor &tensor = *item.tensors.front();
  const TensorType &type = *tensor.type;
  uint64_t elements = rowElements(tensor), storedBytes = *type.bytesOf(elements);
  uint64_t bytes = elements * lutc_type_bytes(lutc_type(item.record.type));
  bool isKept = bytes == storedBytes;
  std::vector<uint8_t> rows(count * bytes);
  std::vector<float> values(elements);
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t row = first + i;
    if (item.interleavedHalf)
      row = uint64_t(interleavedRow(int64_t(row), item.interleavedHalf));
    const uint8_t *stored = tensor.bytes.data() + row * storedBytes;
    if (!isKept || item.offset != 0 || item.factor != 1) {
      type.decode(stored, elements / uint64_t(type.block), values.data());
      if (item.factor != 1)
        for (float &value : values)
          value *= item.factor;
      if (item.offset != 0) // x + 0 is not x where x is -0 or a signalling NaN
        for (float &value : values)
          value += item.offset;
      stored = reinterpret_cast<const uint8_t *>(values.data());
    }
    std::memcpy(rows.data() + i * bytes, stored, bytes);
  }
  progress.add(rows.size());
  return file.write(item.record.offset + first * bytes, rows);
}

//===----------------------------------------------------------------------===//
// Items
//===----------------------------------------------------------------------===//

Expected<uint64_t> Packer::checksum(uint64_t begin, uint64_t end) const {
  AlignedBuffer part(std::min(readBackBytes, end - begin));
  lutc_sum sum;
  lutc_sum_begin(&sum);
  for (;; begin += part.bytes) {
    size_t bytes = size_t(std::min<uint64_t>(part.bytes, end - begin));
    if (Error problem = file.read(begin, MutableArrayRef(part.data, bytes)))
      return std::move(problem);
    if (begin + bytes == end)
      return lutc_sum_end(&sum, part.data, bytes);
    lutc_sum_add(&sum, part.data, bytes);
  }
}

// Bands come in any order, so that checksums are those of what has reached the file.
Error Packer::seal(Job &job) {
  const PackItem &item = job.item;
  lutc_file_record &record = job.item.record;
  record.source = job.source;
  bool isPacked = record.role == LUTC_PACKED;
  uint64_t begin = record.offset + (isPacked ? sizeof(lutc_packed_header) : 0);
  Expected<uint64_t> sum = checksum(begin, record.offset + record.bytes);
  if (!sum)
    return sum.takeError();
  record.checksum = *sum;
  if (!isPacked)
    return Error::success();
  lutc_packed_header header;
  lutc_kernel_info info = item.kernel->info();
  lutc_make_header(&info, record.layout_id, record.bytes - sizeof header, *sum, &header);
  record.checksum = header.header_checksum;
  return file.write(record.offset, ArrayRef(reinterpret_cast<const uint8_t *>(&header), sizeof header));
}

// Of rows that have just been read.
static uint64_t sumRows(const PackItem &item, uint64_t first, uint64_t count) {
  ArrayRef<uint8_t> rows = item.source ? item.source->storedRows() : ArrayRef<uint8_t>();
  size_t rowBytes = item.source ? rows.size() / size_t(item.source->n) : 0;
  return rows.empty() ? 0 : lutc_sum_rows(rows.data() + first * rowBytes, rowBytes, first, count);
}

void Packer::runBand(Job &job, Work work, uint64_t first, uint64_t count) {
  if (!failed)
    if (Error problem = (this->*work)(job.item, first, count))
      fail(std::move(problem));
  job.source += sumRows(job.item, first, count);
  bool isLast = --job.bandsLeft == 0;
  for (const Tensor *tensor : job.item.tensors)
    if (isLast || tensor->bytes.size() > share)
      checkpoint.dropPages(tensor->bytes);
  if (isLast && !failed)
    if (Error problem = seal(job))
      fail(std::move(problem));
}

Packer::Cut Packer::cut(const PackItem &item) const {
  const lutc_file_record &record = item.record;
  if (record.role == LUTC_PACKED) {
    uint64_t tileRows = item.packing->layout.tile_rows, tileCodes = tileRows * uint64_t(item.kernel->k);
    return {&Packer::packRows, uint64_t(item.kernel->n),
            std::max<uint64_t>(1, bandBytes / tileCodes) * tileRows};
  }
  if (isCopied(item))
    return {&Packer::copyBytes, record.bytes, bandBytes};
  uint64_t row = rowElements(*item.tensors.front()) * lutc_type_bytes(lutc_type(record.type));
  return {&Packer::convertRows, record.bytes / row, std::max<uint64_t>(1, bandBytes / row)};
}

void Packer::start(PackItem &item) {
  Cut cut = this->cut(item);
  uint64_t bands = std::max<uint64_t>(1, divideCeil(cut.units, cut.step));
  Job &job = jobs.emplace_back(item, bands);
  for (uint64_t i = 0; i < bands; ++i) {
    uint64_t first = i * cut.step, count = std::min(cut.step, cut.units - first);
    pool.async([this, &job, work = cut.work, first, count] { runBand(job, work, first, count); });
  }
}

static void copySums(const lutc_file_record &from, lutc_file_record &to) {
  to.checksum = from.checksum;
  to.source = from.source;
}

Error Packer::run() {
  for (PackItem &item : plan.items)
    if (!item.record.shared)
      start(item);
  pool.wait();
  for (PackItem &item : plan.items)
    if (item.record.shared)
      copySums(plan.items[item.record.shared - 1].record, item.record);
  return std::move(result);
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

// Header, table and names, once all checksums are known.
static std::vector<uint8_t> makeTable(const PackPlan &plan, const PackTarget &target) {
  lutc_file_header header = {};
  std::vector<lutc_file_record> records;
  for (const PackItem &item : plan.items)
    records.push_back(item.record);
  auto *table = reinterpret_cast<const uint8_t *>(records.data());
  std::vector<uint8_t> bytes(sizeof header);
  bytes.insert(bytes.end(), table, table + records.size() * sizeof(lutc_file_record));
  bytes.insert(bytes.end(), plan.names.begin(), plan.names.end());
  lutc_sum sum;
  std::memcpy(header.magic, LUTC_FILE_MAGIC, sizeof header.magic);
  header.version = LUTC_FILE_VERSION;
  header.tensor_count = uint32_t(records.size());
  header.library_hash = target.libraryHash;
  target.variant.copy(header.variant, sizeof header.variant);
  header.names_bytes = plan.names.size();
  header.file_bytes = plan.fileBytes;
  lutc_sum_begin(&sum);
  header.table_checksum = lutc_sum_end(&sum, bytes.data() + sizeof header, bytes.size() - sizeof header);
  lutc_sum_begin(&sum);
  header.header_checksum = lutc_sum_end(&sum, &header, offsetof(lutc_file_header, header_checksum));
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

Error writePacked(const Checkpoint &checkpoint, PackPlan &plan, const PackTarget &target) {
  auto file = AtomicFile::create(target.path, plan.fileBytes);
  if (!file)
    return file.takeError();
  {
    Progress progress("packing", plan.fileBytes);
    if (Error problem = Packer(checkpoint, plan, **file, progress, target.bandBytes).run())
      return problem;
  }
  if (Error problem = (*file)->write(0, makeTable(plan, target)))
    return problem;
  return (*file)->commit();
}

} // namespace lut

// Memory between pages that no access survives.
#ifndef LUT_REFERENCE_GUARDED_H
#define LUT_REFERENCE_GUARDED_H

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace lut {

enum class Place { End, Begin };

// `bytes` bytes at a multiple of `alignment` that end at a guard page, or as near as alignment allows, or
// begin at one.
class Guarded {
public:
  Guarded(size_t bytes, size_t alignment, Place place) {
    const size_t page = size_t(sysconf(_SC_PAGESIZE));
    inside = (bytes + page) / page * page;
    mapped = inside + 2 * page;
    base = static_cast<uint8_t *>(mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base == MAP_FAILED || mprotect(base + page, inside, PROT_READ | PROT_WRITE) != 0)
      std::abort();
    first = base + page;
    std::memset(first, fill, inside);
    begin = place == Place::Begin ? first : first + (inside - bytes) / alignment * alignment;
    end = begin + bytes;
  }
  ~Guarded() { munmap(base, mapped); }
  Guarded(const Guarded &) = delete;

  template <typename T> T *as() { return reinterpret_cast<T *>(begin); }
  // From now on only reads survive.
  void freeze() { mprotect(first, inside, PROT_READ); }
  // Whether nothing was written between the bytes and the guard pages.
  bool surroundingsAreIntact() const {
    for (const uint8_t *p = first; p != first + inside; ++p)
      if ((p < begin || p >= end) && *p != fill)
        return false;
    return true;
  }

private:
  static constexpr uint8_t fill = 0xff; // NaN as f32: what is read without being written shows in results
  uint8_t *base, *first, *begin, *end;
  size_t inside, mapped;
};

} // namespace lut

#endif

// Memory that starts at a page, from malloc as the peers' memory: so all get the same kind of pages.
#ifndef LUT_BENCH_PAGES_H
#define LUT_BENCH_PAGES_H

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace lut::bench {

class Pages {
public:
  void resize(size_t bytes) {
    memory.reset();
    size = bytes;
    void *pages = nullptr;
    if (bytes && posix_memalign(&pages, 4096, bytes))
      throw std::bad_alloc();
    memory.reset(static_cast<char *>(pages));
  }
  // Fills the rest with copies of the first `stride` bytes.
  void repeat(size_t stride) {
    for (size_t i = stride; i + stride <= size; i += stride)
      std::memcpy(data() + i, data(), stride);
  }
  char *data() { return memory.get(); }
  size_t bytes() const { return size; }

private:
  struct Free {
    void operator()(char *pages) const { std::free(pages); }
  };
  std::unique_ptr<char, Free> memory;
  size_t size = 0;
};

} // namespace lut::bench

#endif

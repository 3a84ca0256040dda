// A shared library that is loaded at run time and stays loaded.
#ifndef LUT_BENCH_LIBRARY_H
#define LUT_BENCH_LIBRARY_H

#include <dlfcn.h>
#include <stdexcept>
#include <string>

namespace lut::bench {

class Library {
public:
  explicit Library(const std::string &path, int flags = RTLD_NOW | RTLD_LOCAL)
      : handle(dlopen(path.c_str(), flags)) {
    if (!handle)
      throw std::runtime_error(dlerror());
  }

  template <typename Pointer> void find(const char *symbol, Pointer &pointer) const {
    pointer = reinterpret_cast<Pointer>(dlsym(handle, symbol));
    if (!pointer)
      throw std::runtime_error(std::string("no symbol ") + symbol);
  }

private:
  void *handle;
};

} // namespace lut::bench

#endif

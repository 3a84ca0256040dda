// Reads JSON of a known shape token by token. Headers of safetensors may have a hundred megabytes, so nothing
// is kept, and nothing recurses. Strings must be UTF-8. After the first error, every call fails.
#ifndef LUT_COMPILER_CHECKPOINT_JSONSCANNER_H
#define LUT_COMPILER_CHECKPOINT_JSONSCANNER_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include <cstdint>

namespace lut {

class JsonScanner {
public:
  explicit JsonScanner(llvm::StringRef text) : text(text) {}

  // Calls `member` for each key, which then reads the value.
  bool object(llvm::function_ref<bool(llvm::StringRef key)> member);
  // Calls `item` for each item, which then reads it.
  bool array(llvm::function_ref<bool()> item);
  // The result lives in `storage` or the text.
  bool string(llvm::StringRef &value, llvm::SmallVectorImpl<char> &storage);
  bool integer(uint64_t &value);
  bool skipValue();
  bool nextIsObject() { return peek() == '{'; }
  bool nextIsInteger(); // that integer() reads
  bool atEnd();         // nothing but space is left
  bool fail(const llvm::Twine &message);

  // "byte 12: what is wrong".
  const std::string &problem() const { return message; }

private:
  char peek(); // of the next token; 0 at the end
  bool consume(char wanted, const char *where);
  llvm::StringRef digits(uint64_t &value);
  bool escape(llvm::SmallVectorImpl<char> &storage);
  bool hex4(uint32_t &value);

  llvm::StringRef text;
  size_t at = 0;
  std::string message;
};

} // namespace lut

#endif

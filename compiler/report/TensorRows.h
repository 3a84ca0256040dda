// Tensors that differ only in numbers of layers and experts, shown as one: model.layers.{0..31}.mlp.up_proj.
#ifndef LUT_COMPILER_REPORT_TENSORROWS_H
#define LUT_COMPILER_REPORT_TENSORROWS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/JSON.h"
#include <vector>

namespace lut {

class TensorRows {
public:
  // `name` lives as long as these rows.
  void add(llvm::StringRef name, std::vector<llvm::json::Value> cells);
  void print(llvm::ArrayRef<llvm::StringRef> columns, llvm::raw_ostream &out) const;

private:
  struct Run {
    llvm::StringRef first; // name
    size_t count = 0;
    std::vector<std::pair<uint64_t, uint64_t>> numbers; // least and largest of each number in the names
    std::vector<llvm::json::Value> cells;

    std::string name() const;
  };

  std::vector<Run> runs;
  llvm::StringMap<size_t> indexOf;
};

// Names come from files, and may hold what a terminal obeys.
std::string printable(llvm::StringRef name);

} // namespace lut

#endif

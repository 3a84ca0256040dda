// Rows under named columns, printed as aligned text (fractions with four digits) or as JSON.
#ifndef LUT_COMPILER_REPORT_TABLE_H
#define LUT_COMPILER_REPORT_TABLE_H

#include "llvm/Support/JSON.h"
#include <vector>

namespace lut {

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<llvm::json::Value>> rows;

  void print(llvm::raw_ostream &out, llvm::StringRef indent = "") const;
  void printJson(llvm::raw_ostream &out) const; // a list of objects, in the order of the columns
  void printJson(llvm::json::OStream &stream) const;
};

} // namespace lut

#endif

#include "compiler/report/TensorRows.h"

#include "compiler/report/Table.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace lut {

static bool isNumber(StringRef part, uint64_t &number) {
  return !part.empty() && all_of(part, isDigit) && !part.getAsInteger(10, number);
}

std::string printable(StringRef name) {
  std::string text;
  raw_string_ostream stream(text);
  printEscapedString(name, stream);
  return text;
}

void TensorRows::add(StringRef name, std::vector<json::Value> cells) {
  std::string key;
  raw_string_ostream stream(key);
  std::vector<uint64_t> numbers;
  uint64_t number;
  for (StringRef part : split(name, '.')) {
    if (isNumber(part, number))
      numbers.push_back(number);
    stream << (isNumber(part, number) ? "\n" : part) << '.';
  }
  for (const json::Value &cell : cells)
    stream << '\n' << cell;
  auto [found, isNew] = indexOf.try_emplace(key, runs.size());
  if (isNew) {
    runs.push_back({name, 0, {}, std::move(cells)});
    for (uint64_t number : numbers)
      runs.back().numbers.push_back({number, number});
  }
  Run &run = runs[found->second];
  ++run.count;
  for (auto [range, number] : zip(run.numbers, numbers))
    range = {std::min(range.first, number), std::max(range.second, number)};
}

std::string TensorRows::Run::name() const {
  std::string text;
  auto range = numbers.begin();
  uint64_t number;
  for (StringRef part : split(first, '.')) {
    text += text.empty() ? "" : ".";
    if (!isNumber(part, number)) {
      text += printable(part);
      continue;
    }
    auto [low, high] = *range++;
    text += low == high ? part.str() : "{" + std::to_string(low) + ".." + std::to_string(high) + "}";
  }
  return text;
}

void TensorRows::print(ArrayRef<StringRef> columns, raw_ostream &out) const {
  Table table;
  table.columns.assign(columns.begin(), columns.end());
  for (const Run &run : runs) {
    table.rows.push_back({run.name(), int64_t(run.count)});
    table.rows.back().insert(table.rows.back().end(), run.cells.begin(), run.cells.end());
  }
  table.print(out);
}

} // namespace lut

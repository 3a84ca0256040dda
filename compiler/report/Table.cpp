#include "compiler/report/Table.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace lut {

static std::string cellText(const json::Value &value) {
  if (auto text = value.getAsString())
    return text->str();
  std::string text;
  raw_string_ostream stream(text);
  if (auto number = value.getAsNumber(); number && !value.getAsInteger())
    stream << format(std::abs(*number) < 1e4 ? "%.4g" : "%.0f", *number);
  else
    stream << value;
  return text;
}

// Numbers stand right, text left; nothing trails.
void Table::print(raw_ostream &out, StringRef indent) const {
  std::vector<size_t> widths;
  for (auto [index, name] : enumerate(columns)) {
    widths.push_back(name.size());
    for (const auto &row : rows)
      widths.back() = std::max(widths.back(), cellText(row[index]).size());
  }
  auto printRow = [&](auto text, auto isNumber) {
    std::string line = indent.str();
    for (size_t i = 0; i < columns.size(); ++i) {
      raw_string_ostream stream(line);
      stream << (i ? "  " : "")
             << (isNumber(i) ? right_justify(text(i), widths[i]) : left_justify(text(i), widths[i]));
    }
    out << StringRef(line).rtrim() << "\n";
  };
  auto number = [&](size_t i) { return !rows.empty() && rows.front()[i].kind() == json::Value::Number; };
  if (any_of(columns, [](const std::string &name) { return !name.empty(); }))
    printRow([&](size_t i) { return columns[i]; }, number);
  std::string cell;
  for (const auto &row : rows)
    printRow([&](size_t i) -> StringRef { return cell = cellText(row[i]); }, number);
}

void Table::printJson(raw_ostream &out) const {
  json::OStream stream(out, 2);
  printJson(stream);
  out << "\n";
}

void Table::printJson(json::OStream &stream) const {
  stream.array([&] {
    for (const auto &row : rows)
      stream.object([&] {
        for (auto [name, value] : zip(columns, row))
          stream.attribute(name, value);
      });
  });
}

} // namespace lut

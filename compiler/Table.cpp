#include "compiler/Table.h"

#include "compiler/Models.h"
#include "dialects/lut/Format.h"
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

static std::string codeBook(const FormatRow &row) {
  auto value = [&](int code) {
    std::string text;
    raw_string_ostream(text) << format("%g", double(row.value(code)) / row.divisor);
    return text;
  };
  std::string text;
  for (int code = 0; code < row.codes(); ++code)
    text += (code ? "," : "") + value(code);
  return "{" + (row.codes() <= 4 || row.book ? text : value(0) + ".." + value(row.codes() - 1)) + "}";
}

static std::string sizes(ArrayRef<int64_t> all) {
  std::string text;
  for (int64_t size : all)
    text += (text.empty() ? "<" : "|") + std::to_string(size);
  return text + ">";
}

Table formatTable() {
  Table table{{"format", "weights", "scales", "zero points or minimums", "columns"}, {}};
  for (const FormatRow &row : formatRows()) {
    std::string name = row.name.str(), book = codeBook(row);
    if (row.trits) {
      table.rows.push_back({name, book, "f32 per tensor", "none", "in order"});
      table.rows.push_back({name + "r", book, "f32 per row", "none", "in order"});
      continue;
    }
    bool even = !row.book;
    std::string p = even ? "[p]" : "", columns = even ? "p: permuted" : "in order";
    table.rows.push_back({name + (even ? "[z]" : "") + "[b|s]" + p, book, "f16 per row, b: bf16, s: f32",
                          even ? "z: u8" : "none", columns});
    table.rows.push_back({name + "g" + sizes(groupSizes()) + (even ? "[e|[z|m][b|s]]" : "[e|b|s]") + p, book,
                          "f16 per group of k, b: bf16, s: f32, e: e8m0",
                          even ? "z: u8, m: as scales" : "none", columns});
    table.rows.push_back({name + "k" + sizes(subgroupSizes()) + (even ? "[m]" : "") + p, book,
                          "f16 per 256 of k, times i8 per subgroup", even ? "m: f16 times i8" : "none",
                          columns});
  }
  return table;
}

Table modelTable() {
  Table table{{"model_type", "models"}, {}};
  for (const ModelRow &row : modelRows())
    table.rows.push_back({row.modelType, row.summary});
  return table;
}

} // namespace lut

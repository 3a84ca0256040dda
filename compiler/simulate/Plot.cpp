#include "compiler/simulate/Plot.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace llvm;

namespace lut {

static std::string escape(StringRef text) {
  std::string escaped;
  for (char c : text)
    escaped += c == '&' ? "&amp;" : c == '<' ? "&lt;" : std::string(1, c);
  return escaped;
}

static void open(raw_ostream &out, int width, int height, StringRef title) {
  out << formatv("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
                 "viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
                 "<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n"
                 "<text x=\"10\" y=\"22\" font-size=\"15\">{2}</text>\n",
                 width, height, escape(title));
}

static void label(raw_ostream &out, double x, double y, StringRef text, StringRef anchor = "start") {
  out << formatv("<text x=\"{0:f1}\" y=\"{1:f1}\" text-anchor=\"{2}\">{3}</text>\n", x, y, anchor,
                 escape(text));
}

static std::string shortest(double value) {
  std::string text;
  raw_string_ostream(text) << format("%g", value);
  return text;
}

static constexpr StringLiteral colors[] = {"#4477aa", "#ee6677", "#228833", "#ccbb44",
                                           "#66ccee", "#aa3377", "#bbbbbb"};

void drawBars(StringRef title, StringRef unit, ArrayRef<BarGroup> groups, raw_ostream &out) {
  constexpr int row = 20, left = 180, span = 520;
  size_t rows = 3;
  std::vector<std::string> kinds;
  for (const BarGroup &group : groups) {
    rows += group.bars.size() + 2;
    for (const Bar &bar : group.bars)
      if (!is_contained(kinds, bar.kind))
        kinds.push_back(bar.kind);
  }
  auto color = [&](StringRef kind) {
    return colors[(find(kinds, kind) - kinds.begin()) % std::size(colors)];
  };
  open(out, left + span + 130, int(rows + 1) * row, title);
  int y = 2 * row;
  for (auto [index, kind] : enumerate(kinds)) {
    out << formatv("<rect x=\"{0}\" y=\"{1}\" width=\"12\" height=\"12\" fill=\"{2}\"/>\n", 10 + 110 * index,
                   y - 4, color(kind));
    label(out, 26 + 110 * index, y + 7, kind);
  }
  for (const BarGroup &group : groups) {
    y += 2 * row;
    label(out, 10, y, group.title);
    double longest = 0;
    for (const Bar &bar : group.bars)
      longest = std::max(longest, bar.value);
    for (const Bar &bar : group.bars) {
      double width = longest > 0 ? bar.value / longest * span : 0;
      label(out, left - 6, y + row, bar.label, "end");
      out << formatv("<rect x=\"{0}\" y=\"{1}\" width=\"{2:f1}\" height=\"14\" fill=\"{3}\"/>\n", left,
                     y + row - 11, width, color(bar.kind));
      label(out, left + width + 5, y + row, formatv("{0:f2} {1}", bar.value, unit).str());
      y += row;
    }
  }
  out << "</svg>\n";
}

namespace {

// One logarithmic axis from the least to the largest value, with some air.
class Axis {
public:
  Axis(ArrayRef<double> values, double from, double to) : from(from), to(to) {
    low = std::log10(*min_element(values)) - 0.05;
    high = std::log10(*max_element(values)) + 0.05;
  }
  double place(double value) const { return from + (std::log10(value) - low) / (high - low) * (to - from); }
  // 1, 2 and 5 times powers of ten.
  std::vector<double> ticks() const {
    std::vector<double> all;
    for (int power = int(std::floor(low)); power <= high; ++power)
      for (double digit : {1, 2, 5}) {
        double value = digit * std::pow(10, power);
        if (std::log10(value) >= low && std::log10(value) <= high)
          all.push_back(value);
      }
    return all;
  }

private:
  double from, to, low, high;
};

} // namespace

void drawPoints(StringRef title, StringRef xAxis, StringRef yAxis, ArrayRef<Point> points, raw_ostream &out) {
  constexpr int width = 900, height = 560, left = 70, right = 40, top = 40, bottom = 50;
  open(out, width, height, title);
  std::vector<double> xs, ys;
  for (const Point &point : points) {
    xs.push_back(point.x);
    ys.push_back(point.y);
  }
  Axis x(xs, left, width - right), y(ys, height - bottom, top);
  out << formatv("<path d=\"M{0} {1}V{2}H{3}\" fill=\"none\" stroke=\"black\"/>\n", left, top,
                 height - bottom, width - right);
  for (double tick : x.ticks())
    label(out, x.place(tick), height - bottom + 16, shortest(tick), "middle");
  for (double tick : y.ticks())
    label(out, left - 6, y.place(tick) + 4, shortest(tick), "end");
  label(out, (left + width - right) / 2.0, height - 12, xAxis, "middle");
  label(out, left, top - 6, yAxis);
  std::vector<std::pair<double, double>> labels;
  for (const Point &point : points) {
    out << formatv("<circle cx=\"{0:f1}\" cy=\"{1:f1}\" r=\"4\" stroke=\"{2}\" fill=\"{3}\"><title>{4}"
                   "</title></circle>\n",
                   x.place(point.x), y.place(point.y), colors[0], point.marked ? colors[1] : "none",
                   escape(point.label));
    double left = x.place(point.x) + 6, base = y.place(point.y) - 6;
    bool crowded = any_of(labels, [&](auto other) {
      return std::abs(other.first - left) < 200 && std::abs(other.second - base) < 12;
    });
    if (point.marked && !crowded) {
      labels.push_back({left, base});
      label(out, left, base, point.label);
    }
  }
  out << "</svg>\n";
}

} // namespace lut

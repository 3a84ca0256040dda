// Drawings for people, as SVG.
#ifndef LUT_COMPILER_SIMULATE_PLOT_H
#define LUT_COMPILER_SIMULATE_PLOT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

namespace lut {

struct Bar {
  std::string label, kind; // bars of one kind have one color, which a legend names
  double value;
};
struct BarGroup {
  std::string title;
  std::vector<Bar> bars;
};
// Horizontal bars; each group has its own scale.
void drawBars(llvm::StringRef title, llvm::StringRef unit, llvm::ArrayRef<BarGroup> groups,
              llvm::raw_ostream &out);

struct Point {
  double x, y;
  std::string label; // beside the point if it is `marked` and there is room; and on hovering
  bool marked;
};
// Points on logarithmic axes; the marked ones are filled.
void drawPoints(llvm::StringRef title, llvm::StringRef xAxis, llvm::StringRef yAxis,
                llvm::ArrayRef<Point> points, llvm::raw_ostream &out);

} // namespace lut

#endif

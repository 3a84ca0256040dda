// What draw_groups.py says of the groups of the library under test.
#ifndef LUT_TEST_END_TO_END_GROUP_STEPS_H
#define LUT_TEST_END_TO_END_GROUP_STEPS_H

#include <cstddef>
#include <string>
#include <vector>

namespace lut {

struct Step {
  std::string verb, text;
  size_t count; // kernels of a product, elements of a block
  float epsilon;
};

struct GroupSteps {
  const char *name;
  size_t top; // experts of a token; 0: none
  std::vector<Step> steps;
};

extern const std::vector<GroupSteps> groupSteps; // in the order of the library's groups

} // namespace lut

#endif

// `lutc assemble` and `lutc disassemble`: programs of the LUT-instruction machine as text and as bytes.
#ifndef LUT_COMPILER_ASSEMBLE_H
#define LUT_COMPILER_ASSEMBLE_H

#include <string>

namespace lut {

struct AssembleRequest {
  std::string input, output; // output of disassemble: empty for stdout
};

int assembleFile(const AssembleRequest &request);
int disassembleFile(const AssembleRequest &request);

} // namespace lut

#endif

// Progress on stderr, where the user asked for it. Diagnostics do not go here.
#ifndef LUT_COMPILER_REPORT_LOG_H
#define LUT_COMPILER_REPORT_LOG_H

#include <string>

namespace lut {

void logLine(const std::string &line);

} // namespace lut

#endif

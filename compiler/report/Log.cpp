#include "compiler/report/Log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

void lut::logLine(const std::string &line) {
  static auto logger = [] {
    auto created = spdlog::stderr_color_mt("lutc");
    created->set_pattern("lutc: %v");
    return created;
  }();
  logger->info(line);
}

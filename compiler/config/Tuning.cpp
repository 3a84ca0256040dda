#include "compiler/config/Tuning.h"

#include "compiler/config/ConfigKeys.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace llvm;

namespace lut {

constexpr int64_t tuningVersion = 1;

std::string printTuning(const Tuning &tuning) {
  json::Array kernels;
  for (const TunedSchedule &kernel : tuning.kernels)
    kernels.push_back(json::Object{{"product", kernel.product},
                                   {"schedule", kernel.schedule},
                                   {"alone_us", kernel.alone},
                                   {"batch_us", kernel.batch}});
  json::Object file{{"lutc_tuning", tuningVersion},
                    {"cpu", tuning.cpu},
                    {"variant", tuning.target},
                    {"kernels", std::move(kernels)}};
  return formatv("{0:2}\n", json::Value(std::move(file)));
}

std::optional<Tuning> readTuning(StringRef path, SourceMgr &sources) {
  Diagnostics diagnostics(sources);
  std::optional<ConfigNode> root = readConfigTree(path, diagnostics);
  if (!root || !checkKeys(*root, tuningKeys(), diagnostics))
    return std::nullopt;
  const ConfigNode &version = *root->find("lutc_tuning");
  if (version.integer() != tuningVersion) {
    diagnostics.error(version.range, "this lutc reads tuning files of version " + Twine(tuningVersion),
                      "write the file again with lutc bench --tune");
    return std::nullopt;
  }
  Tuning tuning{root->find("cpu")->text, root->find("variant")->text, {}};
  for (const ConfigNode &kernel : root->find("kernels")->items)
    tuning.kernels.push_back({tuning.target, kernel.find("product")->text, kernel.find("schedule")->text,
                              *kernel.find("alone_us")->number(), *kernel.find("batch_us")->number(),
                              diagnostics.position(kernel.find("schedule")->range)});
  return tuning;
}

} // namespace lut

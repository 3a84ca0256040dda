// The packer and the manifest's reader from inside.
#include "compiler/model/ConfigFile.h"
#include "compiler/pack/Packer.h"
#include "files.h"
#include "process.h"
#include "llvm/Support/raw_ostream.h"

using namespace lut;
using namespace lut::test;

namespace {

Bytes read(const std::filesystem::path &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Packer : testing::TestWithParam<const char *> {
  void SetUp() override {
    llvm::StringRef name = GetParam();
    name.consume_back("_lmma");
    checkpoint = openCheckpoint((DIRECTORY "/" + name).str());
    ASSERT_TRUE(bool(*checkpoint)) << llvm::toString(checkpoint->takeError());
    manifest = readManifest(std::string(DIRECTORY "/lib/") + GetParam() + ".json", diagnostics);
    storage = readQuantization(**checkpoint, diagnostics);
    ASSERT_TRUE(manifest && storage);
  }
  Bytes write(uint64_t bandBytes) {
    auto claims = claimModules(**checkpoint, *manifest);
    EXPECT_TRUE(bool(claims));
    auto plan = planPack(**checkpoint, *storage, *manifest, *claims, PackOptions());
    EXPECT_TRUE(bool(plan));
    const std::string path = directory.path / "model.lutc";
    llvm::Error problem =
        writePacked(**checkpoint, *plan, {path, manifest->hash, manifest->variants.front(), bandBytes});
    EXPECT_FALSE(bool(problem)) << llvm::toString(std::move(problem));
    return read(path);
  }

  Directory directory;
  llvm::SourceMgr sources;
  Diagnostics diagnostics{sources};
  std::optional<llvm::Expected<Checkpoint>> checkpoint;
  std::optional<Manifest> manifest;
  std::optional<Quantization> storage;
};

TEST_P(Packer, WritesTheSameInBandsOfAnySize) {
  const Bytes whole = write(1 << 30);
  EXPECT_GT(whole.size(), size_t(600'000));
  EXPECT_TRUE(write(1000) == whole); // of one tile, or 1000 bytes
  EXPECT_TRUE(write(40'000) == whole);
}

INSTANTIATE_TEST_SUITE_P(Models, Packer,
                         testing::Values("gptq", "bitnet", "experts", "gpt_oss", "gguf", "tied", "unknown",
                                         "gptq_lmma", "bitnet_lmma"),
                         [](const auto &info) { return std::string(info.param); });

} // namespace

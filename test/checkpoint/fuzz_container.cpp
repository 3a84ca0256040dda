// Any bytes as a file of safetensors or GGUF: its first bytes tell which.
#include "fuzz.h"

using namespace lut;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::Expected<Checkpoint> checkpoint = openCheckpoint(test::fileOf(data, size));
  if (checkpoint)
    test::readAll(*checkpoint);
  else
    test::expectGood(checkpoint.takeError());
  return 0;
}

// Any bytes as model.safetensors.index.json. The shards that it names are absent.
#include "compiler/checkpoint/Containers.h"
#include "fuzz.h"

using namespace lut;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Checkpoint checkpoint;
  test::expectGood(readShardIndex(test::fileOf(data, size), checkpoint));
  return 0;
}

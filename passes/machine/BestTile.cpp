#include "passes/machine/BestTile.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace lut::lmma {

/// Powers of two from `low` to `high`, or also what lies at quarters between them.
static SmallVector<int64_t> sizes(int64_t low, int64_t high, bool powersOfTwo) {
  SmallVector<int64_t> all;
  for (int64_t size = low; size <= high; size *= 2)
    for (int64_t part = 0; part < 4; ++part) {
      int64_t between = size + size / 4 * part;
      if (part == 0 || (!powersOfTwo && size >= 16 && between <= high))
        all.push_back(between);
    }
  return all;
}

/// Warps of one size in every arrangement, with every depth.
static SmallVector<Tile> tilesOfWarp(const Machine &machine, int64_t warpM, int64_t warpN,
                                     const TileLimits &limits) {
  SmallVector<Tile> tiles;
  int64_t group = machine.isLut() ? machine.array.k : 1;
  for (int64_t down = 1; down <= limits.warps; down *= 2)
    for (int64_t across = 1; down * across <= limits.warps; across *= 2)
      for (int64_t k : {32, 64, 128})
        for (int64_t stages : {2, 3, 4})
          tiles.push_back({warpM * down, warpN * across, k / group * group, warpM, warpN, stages});
  return tiles;
}

static bool better(const Estimate &a, const Estimate &b) {
  if (a.cycles != b.cycles)
    return a.cycles < b.cycles;
  return a.memoryRead + a.cacheRead < b.memoryRead + b.cacheRead;
}

Expected<TileChoice> bestTile(const Machine &machine, const Gemm &gemm, Mode mode, Precompute precompute,
                              const TileLimits &limits) {
  std::optional<TileChoice> best;
  std::string refused;
  int64_t rows = int64_t(PowerOf2Ceil(gemm.m));
  int64_t leastM = machine.isLut() ? machine.array.m : 16, leastN = 8;
  for (int64_t warpM : sizes(leastM, std::max(leastM, std::min(limits.warpM, rows)), limits.powersOfTwo))
    for (int64_t warpN : sizes(leastN, limits.warpN, limits.powersOfTwo))
      for (const Tile &tile : tilesOfWarp(machine, warpM, warpN, limits)) {
        Expected<Estimate> found = estimate(machine, gemm, tile, mode, precompute);
        if (found && (!best || better(*found, best->estimate)))
          best = TileChoice{tile, *found};
        std::string reason = found ? "" : toString(found.takeError());
        if (refused.empty()) // the smallest tile's
          refused = reason;
      }
  if (!best)
    return createStringError(refused);
  return *best;
}

} // namespace lut::lmma

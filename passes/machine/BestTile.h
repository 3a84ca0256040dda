// The choice of a tile.
#ifndef LUT_PASSES_MACHINE_BESTTILE_H
#define LUT_PASSES_MACHINE_BESTTILE_H

#include "passes/machine/Timing.h"

namespace lut::lmma {

/// Tiles to choose from.
struct TileLimits {
  int64_t warpM = 64, warpN = 256; // the largest product that one instruction of a warp names
  int64_t warps = 8;               // of a block
  bool powersOfTwo = true;         // else also 3, 5 and 7 times a power of two, by several instructions
};

struct TileChoice {
  Tile tile;
  Estimate estimate;
};

/// The fastest tile; among equals the one that moves the fewest bytes. The error says why no tile fits.
llvm::Expected<TileChoice> bestTile(const Machine &machine, const Gemm &gemm, Mode mode,
                                    Precompute precompute = Precompute::fused, const TileLimits &limits = {});

} // namespace lut::lmma

#endif

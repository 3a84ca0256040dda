#include "compiler/pack/Progress.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace lut {

static constexpr unsigned barWidth = 30;
static constexpr std::chrono::milliseconds interval(100);

Progress::Progress(StringRef task, uint64_t bytes)
    : task(task), total(std::max<uint64_t>(bytes, 1)), shown(sys::Process::StandardErrIsDisplayed()) {}

Progress::~Progress() {
  if (shown && drawn != start)
    errs() << "\r\033[K";
}

void Progress::add(uint64_t bytes) {
  uint64_t now = done += bytes;
  std::unique_lock<std::mutex> lock(drawing, std::try_to_lock);
  if (!shown || !lock || Clock::now() - drawn < interval)
    return;
  drawn = Clock::now();
  draw(now, drawn);
}

void Progress::draw(uint64_t bytes, Clock::time_point now) {
  double share = double(bytes) / double(total), seconds = std::chrono::duration<double>(now - start).count();
  unsigned filled = unsigned(share * barWidth);
  errs() << formatv("\r{0} [{1}{2}] {3,3:F0} %, {4:F1} of {5:F1} GB, {6:F2} GB/s\033[K", task,
                    std::string(filled, '#'), std::string(barWidth - filled, ' '), 100 * share,
                    double(bytes) * 1e-9, double(total) * 1e-9, double(bytes) * 1e-9 / seconds);
}

} // namespace lut

#include "Rounds.h"
#include "Machine.h"
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <stdexcept>

using namespace lut::bench;

double Timing::min() const { return *std::min_element(seconds.begin(), seconds.end()); }

double Timing::median() const {
  std::vector<double> sorted = seconds;
  std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
  return sorted[sorted.size() / 2];
}

double Field::now() const {
  timespec time;
  clock_gettime(cpuClock ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

Field::Field(Contenders &all, const Problem &problem, size_t threads, bool cpuClock,
             std::vector<Missing> &missing)
    : problem(problem), threads(threads), cpuClock(cpuClock), missing(missing) {
  for (const auto &contender : all) {
    contenders.push_back(contender.get());
    if (const std::string reason = contender->bind(problem, threads); !reason.empty())
      drop(contenders.size() - 1, reason);
  }
}

void Field::drop(size_t index, const std::string &reason) {
  Contender *contender = contenders[index];
  contender->release();
  contenders.erase(contenders.begin() + ptrdiff_t(index));
  const auto entry = std::find_if(missing.begin(), missing.end(), [&](const Missing &it) {
    return it.name == contender->name() && it.reason == reason;
  });
  const std::string shape = problem.shape.name();
  if (entry == missing.end())
    missing.push_back({contender->name(), reason, {shape}});
  else if (entry->shapes.back() != shape)
    entry->shapes.push_back(shape);
}

size_t Field::callsOf(const Contender &contender, size_t m) {
  if (m >= 8 || contender.weights == "machine")
    return 1;
  return std::clamp<size_t>((40 << 20) / contender.copyBytes(), 1, 64);
}

// A copy is used again after one batch of every contender in each round: together these exceed the last-level
// cache by half, as far as half of the free memory goes.
void Field::store(size_t m) {
  const size_t wanted = m >= 8 ? 8 : 1;
  if (wanted == regime)
    return;
  regime = wanted;
  calls.clear();
  size_t round = 0;
  for (Contender *contender : contenders) {
    contender->release();
    calls.push_back(callsOf(*contender, m));
    if (contender->weights != "machine" || contender->peer == "read")
      round += calls.back() * contender->copyBytes();
  }
  const size_t bytes = std::min(lastLevelCache() * 3 / 2, availableMemory() / 2);
  batches = (bytes + round - 1) / round;
  cycledBytes = batches * round;
  for (size_t i = 0; i < contenders.size(); ++i)
    contenders[i]->store(batches, calls[i]);
}

// Empty, or why the contender is out.
std::string Field::prepare(Contender &contender, size_t m, bool hot) {
  try {
    contender.begin(m, hot);
    contender.run(0);
    return contender.check(m);
  } catch (const std::exception &error) {
    return error.what();
  }
}

Cell Field::time(size_t m, bool hot, double seconds) {
  store(m);
  for (size_t i = contenders.size(); i-- > 0;) {
    const std::string reason = prepare(*contenders[i], m, hot);
    if (reason.empty())
      continue;
    drop(i, reason);
    calls.erase(calls.begin() + ptrdiff_t(i));
  }
  Cell cell = {problem.shape, m, threads, hot, cycledBytes, {}};
  for (const Contender *contender : contenders)
    cell.timings.push_back({contender, contender->copyBytes(), contender->nmse, {}});
  constexpr size_t least = 3, most = 200;
  double end = 0;
  for (size_t round = 0; round < least || (round < most && now() < end); ++round) {
    const double longest = round == 0 ? 1e9 : round < least ? seconds / 4 : seconds / 40;
    for (size_t i = 0; i < contenders.size(); ++i) {
      std::vector<double> &times = cell.timings[i].seconds;
      if (round == 0 || times[0] * double(calls[i]) < longest) // slow ones hold up the others
        times.push_back(timeRun(*contenders[i], round % batches, hot) / double(calls[i]));
    }
    if (round + 1 == least)
      end = now() + seconds;
  }
  return cell;
}

double Field::timeRun(Contender &contender, size_t batch, bool hot) const {
  if (threads > 1)
    waitUntilQuiet();
  if (hot)
    contender.run(batch);
  const double begin = now();
  contender.run(batch);
  return now() - begin;
}

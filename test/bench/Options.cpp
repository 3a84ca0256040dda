#include "Options.h"
#include "Shapes.h"
#include <algorithm>
#include <cstdlib>
#include <sstream>

using namespace lut::bench;

const char *const lut::bench::usage =
    "Usage: scripts/bench [options]   About an hour without options. Lists are separated by commas.\n"
    "  --quick              one shape, some m, one thread: about two minutes\n"
    "  --formats=LIST       weight formats of lutc: w2g128,w158\n"
    "  --shapes=LIST        NxK, a model (Llama-2-7B) or all\n"
    "  --peers=LIST         lutc, llama.cpp, onnxruntime, openblas, onednn\n"
    "  --tokens=LIST        numbers m of tokens\n"
    "  --threads=LIST       numbers of threads\n"
    "  --weights=LIST       cold, hot\n"
    "  --variant=NAME       hold lutc and the peers to an instruction set: avx2, avx512bw, avx512vbmi\n"
    "  --seconds=S          time of a cell of the table, after three rounds\n"
    "  --clock=cpu          seconds of the CPU, for one thread of a machine with other work\n"
    "  --pages=huge         huge pages for the weights of all contenders\n"
    "  --prototypes=DIR     also run hand-written kernels there: kblock, gemv2, base3 and avx2.cpp\n"
    "  --groups             instead: groups beside single kernels\n"
    "  --decoder            instead: decoder layers of whole models beside llama.cpp's\n"
    "  --llama              instead: whole models in llama.cpp, stock and with the plug-in; more: --llama "
    "--help\n"
    "  --pack               instead: lutc pack beside a copy of the same bytes\n"
    "  --onnxruntime        instead: the plug-in of ONNX Runtime beside the built-in op\n"
    "  --lutc=PROGRAM       this compiler instead of building one\n"
    "  -o DIRECTORY         of the results; by default build/bench/results/ and the options\n";

static std::vector<std::string> split(const std::string &list) {
  std::vector<std::string> items;
  std::istringstream stream(list);
  for (std::string item; std::getline(stream, item, ',');)
    items.push_back(item);
  return items;
}

// Numbers of 1 and more.
static bool parseNumbers(const std::string &list, std::vector<size_t> &numbers) {
  for (const std::string &item : split(list)) {
    numbers.push_back(std::strtoul(item.c_str(), nullptr, 10));
    if (numbers.back() == 0)
      return false;
  }
  return !numbers.empty();
}

bool Options::addShapes(const std::string &item) {
  bool found = false;
  auto add = [&](const Shape &shape) { // models share some
    found = true;
    if (std::none_of(shapes.begin(), shapes.end(),
                     [&](const Shape &it) { return it.name() == shape.name(); }))
      shapes.push_back(shape);
  };
  Shape shape;
  int length = 0;
  if (std::sscanf(item.c_str(), "%zux%zu%n", &shape.n, &shape.k, &length) == 2 &&
      size_t(length) == item.size() && shape.n >= period && shape.k > 0)
    add(shape);
  for (const ModelShape &it : modelShapes)
    if (item == "all" || item == it.model)
      add(it.shape);
  return found;
}

bool Options::set(const std::string &name, const std::string &value) {
  if (name == "--formats")
    settings.formats = split(value);
  else if (name == "--shapes") {
    const std::vector<std::string> items = split(value);
    return std::all_of(items.begin(), items.end(), [&](const std::string &item) { return addShapes(item); });
  } else if (name == "--peers")
    peers = split(value);
  else if (name == "--tokens")
    return parseNumbers(value, tokens);
  else if (name == "--threads")
    return parseNumbers(value, threads);
  else if (name == "--weights")
    temperatures = split(value);
  else if (name == "--variant")
    settings.variant = value;
  else if (name == "--seconds")
    return (seconds = std::strtod(value.c_str(), nullptr)) > 0;
  else if (name == "--clock")
    return (cpuClock = value == "cpu") || value == "wall";
  else if (name == "--library")
    settings.library = value;
  else if (name == "--npm")
    settings.npm = value;
  else if (name == "--command")
    command = value;
  else if (name == "--output")
    output = value;
  else
    return false;
  return true;
}

void Options::setDefaults() {
  const auto isMissing = [](const auto &list) { return list.empty(); };
  if (isMissing(settings.formats))
    settings.formats = {"w1g128", "w158", "w2g128", "w3g128", "w4g128", "w4g32"};
  if (isMissing(shapes)) {
    for (const char *item : {"4096x4096", "11008x4096", "2560x6912", "3200x8640", "1024x1024", "896x4864",
                             "3072x23040", "1152x6912"})
      if (!quick || shapes.empty())
        addShapes(item);
  }
  if (isMissing(tokens))
    tokens = quick ? std::vector<size_t>{1, 8, 128} : std::vector<size_t>{1, 2, 4, 8, 16, 128, 512};
  if (isMissing(threads))
    threads = quick ? std::vector<size_t>{1} : std::vector<size_t>{1, 2};
  if (isMissing(temperatures))
    temperatures = {"cold", "hot"};
  if (seconds == 0)
    seconds = quick ? 3 : 5;
}

bool Options::parse(int argc, char **argv) {
  for (int i = 1; i < argc; ++i) {
    std::string name = argv[i], value;
    if (name == "--quick" || name == "--kernels") {
      (name == "--quick" ? quick : kernels) = true;
      continue;
    }
    if (const size_t equals = name.find('='); equals != std::string::npos)
      value = name.substr(equals + 1), name.resize(equals);
    else if (++i < argc)
      value = argv[i];
    else
      return false;
    if (!set(name, value))
      return false;
  }
  setDefaults();
  getloadavg(&load, 1);
  return true;
}

bool Options::wantsPeer(const std::string &name) const {
  return peers.empty() || name == "machine" || std::find(peers.begin(), peers.end(), name) != peers.end();
}

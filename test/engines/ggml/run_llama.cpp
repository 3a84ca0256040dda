// run_llama <directory> <model.gguf> <logits> [threads=<n>] [steps=<n>] [mmap=0] [extra=0] [sequences=<n>]
// [times=<n>] [again=1] [packed=1]
// Feeds a model in llama.cpp with a prompt, then with the tokens it finds likeliest, so many steps; writes
// all logits, and the tokens to stdout. With times, the model is loaded, used beside another copy of it, and
// freed so often. With packed, all copies share one mapping of a packed file. None is left in the end.
#include "Llama.h"
#include <algorithm>
#include <fstream>
#include <map>

using namespace lut::llama;

namespace {

constexpr int promptTokens = 70; // more than a block of tokens that share unpacked codes

std::vector<float> feed(const Library &llama, Model *model, int threads, int sequences, int steps) {
  Context *context = llama.start(model, threads, uint32_t(sequences));
  const int words = llama.vocab_n_tokens(llama.model_get_vocab(model));
  std::vector<int32_t> tokens;
  for (int i = 0; i < promptTokens; ++i)
    tokens.push_back((i * 37 + 11) % words);
  std::vector<float> all;
  for (int step = 0, position = 0; step <= steps; ++step) {
    const std::vector<float> logits = llama.run(model, context, tokens, position, sequences);
    position += int(tokens.size());
    tokens = {int32_t(std::max_element(logits.begin(), logits.end()) - logits.begin())};
    all.insert(all.end(), logits.begin(), logits.end());
    std::printf("%d ", tokens[0]);
  }
  std::printf("\n");
  llama.free(context);
  return all;
}

// Mappings of packed files.
int countPacked() {
  std::ifstream maps("/proc/self/maps");
  int count = 0;
  for (std::string line; std::getline(maps, line);)
    count += line.find(".lutc") != std::string::npos;
  return count;
}

// Loads the plug-in again, and a copy of it, and unloads it.
void loadAgain() {
  struct Registry;
  Registry *(*load)(const char *);
  void (*unload)(Registry *);
  Library::lookUp("ggml_backend_load", load);
  Library::lookUp("ggml_backend_unload", unload);
  const std::string path = std::getenv("GGML_BACKEND_PATH"), copy = path + ".copy";
  std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing);
  if (load(copy.c_str()))
    fail("two plug-ins in one process");
  for (int i = 0; i < 2; ++i) {
    Registry *registry = load(path.c_str());
    if (!registry)
      fail("the plug-in was not loaded again");
    unload(registry);
  }
  std::filesystem::remove(copy);
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 4)
    fail("usage: run_llama <directory> <model.gguf> <logits> [<option>=<number>...]");
  std::map<std::string, int> options = {{"threads", 1},   {"steps", 12}, {"mmap", 1},  {"extra", 1},
                                        {"sequences", 1}, {"times", 1},  {"again", 0}, {"packed", 0}};
  for (int i = 4; i < argc; ++i) {
    const std::string option = argv[i];
    const size_t sign = option.find('=');
    options.at(option.substr(0, sign)) = std::atoi(option.c_str() + sign + 1);
  }
  const Library llama(argv[1]);
  if (options["again"])
    loadAgain();
  std::vector<float> logits;
  for (int time = 0; time < options["times"]; ++time) {
    Model *model = llama.load(argv[2], options["mmap"], options["extra"]);
    Model *other = time > 0 ? llama.load(argv[2], options["mmap"], options["extra"]) : nullptr;
    if (countPacked() != options["packed"])
      fail("packed files are mapped " + std::to_string(countPacked()) + " times");
    logits = feed(llama, model, options["threads"], options["sequences"], options["steps"]);
    if (other) {
      if (feed(llama, other, options["threads"], options["sequences"], options["steps"]) != logits)
        fail("two models of one file differ");
      llama.model_free(other);
    }
    llama.model_free(model);
  }
  if (countPacked() != 0)
    fail("packed files stay mapped");
  std::ofstream(argv[3], std::ios::binary)
      .write(reinterpret_cast<const char *>(logits.data()), std::streamsize(4 * logits.size()));
}

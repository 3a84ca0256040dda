// llama.cpp's library as a user without its headers calls it: any version from January 2026 on.
#ifndef LUT_TEST_ENGINES_LLAMA_H
#define LUT_TEST_ENGINES_LLAMA_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <string>
#include <vector>

namespace lut::llama {

[[noreturn]] inline void fail(const std::string &what) {
  std::fprintf(stderr, "error: %s\n", what.c_str());
  std::exit(1);
}

// Parameters go by value. Room for any version's.
struct Parameters {
  alignas(8) unsigned char bytes[512];
  template <typename T> void set(size_t at, T value) { std::memcpy(bytes + at, &value, sizeof value); }
};

struct Batch {
  int32_t count;
  int32_t *tokens;
  float *embeddings;
  int32_t *positions, *sequenceCounts, **sequences;
  int8_t *wanted;
};

struct Model;
struct Context;
struct Memory;
struct Vocabulary;

// F(result, name, arguments); symbols have the prefix llama_.
#define LUT_LLAMA_FUNCTIONS(F)                                                                               \
  F(void, log_set, (void (*)(int level, const char *text, void *), void *))                                  \
  F(Parameters, model_default_params, ())                                                                    \
  F(Parameters, context_default_params, ())                                                                  \
  F(Model *, model_load_from_file, (const char *, Parameters))                                               \
  F(void, model_free, (Model *))                                                                             \
  F(Context *, init_from_model, (Model *, Parameters))                                                       \
  F(void, free, (Context *))                                                                                 \
  F(void, set_n_threads, (Context *, int32_t, int32_t))                                                      \
  F(Memory *, get_memory, (const Context *))                                                                 \
  F(void, memory_clear, (Memory *, bool))                                                                    \
  F(const Vocabulary *, model_get_vocab, (const Model *))                                                    \
  F(int32_t, vocab_n_tokens, (const Vocabulary *))                                                           \
  F(int32_t, decode, (Context *, Batch))                                                                     \
  F(float *, get_logits_ith, (Context *, int32_t))

struct Library {
#define LUT_LLAMA_POINTER(result, name, arguments) result(*name) arguments;
  LUT_LLAMA_FUNCTIONS(LUT_LLAMA_POINTER)
#undef LUT_LLAMA_POINTER

  // Of a directory that npm's package has: ggml, then llama, then the CPU back ends and GGML_BACKEND_PATH.
  explicit Library(const std::string &directory) {
    for (const char *prefix : {"libggml-base.so", "libggml.", "libllama."})
      if (!dlopen(find(directory, prefix).c_str(), RTLD_NOW | RTLD_GLOBAL))
        fail(dlerror());
#define LUT_LLAMA_FIND(result, name, arguments) lookUp("llama_" #name, name);
    LUT_LLAMA_FUNCTIONS(LUT_LLAMA_FIND)
#undef LUT_LLAMA_FIND
    log_set(
        [](int, const char *text, void *) {
          if (std::strncmp(text, "lutc:", 5) == 0 || std::getenv("LLAMA_LOG"))
            std::fputs(text, stderr);
        },
        nullptr);
    void (*loadAll)(const char *);
    lookUp("ggml_backend_load_all_from_path", loadAll);
    loadAll(directory.c_str());
  }

  template <typename F> static void lookUp(const char *name, F *&function) {
    function = reinterpret_cast<F *>(dlsym(RTLD_DEFAULT, name));
    if (!function)
      fail(std::string(name) + " is missing");
  }

  // Without mmap the loader reads tensors into memory first; without extra buffer types nothing is repacked.
  Model *load(const std::string &path, bool mmap = true, bool extra = true) const {
    Parameters parameters = model_default_params();
    const bool isOld = parameters.bytes[65] == 1; // b7698: use_mmap, use_direct_io; then a load_mode
    if (!mmap && isOld)
      parameters.set<uint16_t>(65, 0);
    else if (!mmap)
      parameters.set<int32_t>(28, 0);
    if (!extra)
      parameters.set<uint8_t>(isOld ? 69 : 74, 0);
    Model *model = model_load_from_file(path.c_str(), parameters);
    if (!model)
      fail("llama.cpp did not take " + path);
    return model;
  }

  Context *start(Model *model, int threads, uint32_t sequences = 1) const {
    Parameters parameters = context_default_params();
    parameters.set<uint32_t>(0, 1024 * sequences); // n_ctx
    parameters.set<uint32_t>(12, sequences);
    Context *context = init_from_model(model, parameters);
    if (!context)
      fail("llama.cpp made no context");
    set_n_threads(context, threads, threads);
    return context;
  }

  // The same tokens in each sequence, from a position on; logits of the last token of the last sequence, or
  // of all tokens.
  std::vector<float> run(Model *model, Context *context, const std::vector<int32_t> &tokens, int32_t position,
                         int32_t sequences = 1, bool all = false) const {
    const size_t count = tokens.size() * size_t(sequences);
    std::vector<int32_t> repeated, positions, counts(count, 1), ids(count);
    std::vector<int32_t *> sequenceOf;
    std::vector<int8_t> wanted(count, all);
    wanted.back() = 1;
    for (size_t i = 0; i < count; ++i) {
      repeated.push_back(tokens[i % tokens.size()]);
      positions.push_back(position + int32_t(i % tokens.size()));
      ids[i] = int32_t(i / tokens.size());
      sequenceOf.push_back(&ids[i]);
    }
    if (decode(context, {int32_t(count), repeated.data(), nullptr, positions.data(), counts.data(),
                         sequenceOf.data(), wanted.data()}))
      fail("llama_decode failed");
    const size_t words = size_t(vocab_n_tokens(model_get_vocab(model)));
    std::vector<float> logits;
    for (size_t i = all ? 0 : count - 1; i < count; ++i) {
      const float *row = get_logits_ith(context, int32_t(i));
      logits.insert(logits.end(), row, row + words);
    }
    return logits;
  }

private:
  // The first file of that name, or with a version behind it.
  static std::string find(const std::string &directory, const std::string &prefix) {
    for (const auto &entry : std::filesystem::directory_iterator(directory))
      if (entry.path().filename().string().rfind(prefix, 0) == 0)
        return entry.path().string();
    fail("no " + prefix + " in " + directory);
  }
};

} // namespace lut::llama

#endif

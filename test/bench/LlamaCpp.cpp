// lutc_bench_llama: tokens a second of llama.cpp on a model of given sizes and random weights, which it
// writes as a GGUF file: scripts/bench --decoder runs it beside examples/decoder_layer. llama.cpp is loaded
// at run time.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::string &what) {
  std::fprintf(stderr, "lutc_bench_llama: %s\n", what.c_str());
  std::exit(1);
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

struct Sizes {
  std::string architecture, type; // llama or qwen3; a name of blockTypeOf
  size_t layers, hidden, ffn, heads, kvHeads, headDim;
  float ropeTheta;
};

// Blocks of a weight type: ggml's number, elements, bytes, and where f16 scales are in a block.
struct BlockType {
  const char *name;
  uint32_t number;
  size_t elements, bytes;
  std::vector<size_t> scales;
};

const BlockType &blockTypeOf(const std::string &name) {
  static const BlockType types[] = {
      {"f32", 0, 1, 4, {}},     {"tq2_0", 35, 256, 66, {64}},   {"q2_k", 10, 256, 84, {80, 82}},
      {"q4_0", 2, 32, 18, {0}}, {"q4_k", 12, 256, 144, {0, 2}}, {"q6_k", 14, 256, 210, {208}},
      {"q8_0", 8, 32, 34, {0}}, {"q1_0", 41, 128, 18, {0}}};
  for (const BlockType &type : types)
    if (name == type.name)
      return type;
  fail("unknown weight type " + name);
}

struct Tensor {
  std::string name;
  std::vector<uint64_t> sizes; // the contiguous one first
  const BlockType &type;
  size_t bytes() const {
    size_t elements = 1;
    for (uint64_t size : sizes)
      elements *= size;
    return elements / type.elements * type.bytes;
  }
};

std::vector<Tensor> tensorsOf(const Sizes &s) {
  const BlockType &w = blockTypeOf(s.type), &f32 = blockTypeOf("f32");
  const size_t query = s.heads * s.headDim, key = s.kvHeads * s.headDim;
  std::vector<Tensor> tensors = {{"token_embd.weight", {s.hidden, 32}, f32},
                                 {"output_norm.weight", {s.hidden}, f32}};
  for (size_t layer = 0; layer < s.layers; ++layer) {
    const std::string block = "blk." + std::to_string(layer) + ".";
    const Tensor all[] = {
        {"attn_norm.weight", {s.hidden}, f32},        {"attn_q.weight", {s.hidden, query}, w},
        {"attn_k.weight", {s.hidden, key}, w},        {"attn_v.weight", {s.hidden, key}, w},
        {"attn_output.weight", {query, s.hidden}, w}, {"ffn_norm.weight", {s.hidden}, f32},
        {"ffn_gate.weight", {s.hidden, s.ffn}, w},    {"ffn_up.weight", {s.hidden, s.ffn}, w},
        {"ffn_down.weight", {s.ffn, s.hidden}, w}};
    for (const Tensor &tensor : all)
      tensors.push_back({block + tensor.name, tensor.sizes, tensor.type});
    for (const char *norm : {"attn_q_norm.weight", "attn_k_norm.weight"})
      if (s.architecture == "qwen3")
        tensors.push_back({block + norm, {s.headDim}, f32});
  }
  return tensors;
}

class Gguf {
public:
  explicit Gguf(const std::string &path) : out(path, std::ios::binary) {}

  void write(const Sizes &s) {
    const std::vector<Tensor> tensors = tensorsOf(s);
    out.write("GGUF", 4);
    put<uint32_t>(3);
    put<uint64_t>(tensors.size());
    put<uint64_t>(13);
    metadata(s);
    uint64_t offset = 0;
    for (const Tensor &tensor : tensors) {
      text(tensor.name);
      put<uint32_t>(uint32_t(tensor.sizes.size()));
      for (uint64_t size : tensor.sizes)
        put(size);
      put(tensor.type.number);
      put(offset);
      offset += (tensor.bytes() + 31) / 32 * 32;
    }
    pad();
    for (const Tensor &tensor : tensors)
      data(tensor);
    if (!out)
      fail("the model file could not be written");
  }

private:
  template <typename T> void put(T value) { out.write(reinterpret_cast<const char *>(&value), sizeof value); }
  void text(const std::string &value) {
    put<uint64_t>(value.size());
    out.write(value.data(), std::streamsize(value.size()));
  }
  void pad() {
    while (out.tellp() % 32)
      out.put(0);
  }
  void metadata(const Sizes &s) {
    const auto string = [&](const char *key, const std::string &value) {
      text(key);
      put<uint32_t>(8);
      text(value);
    };
    const auto number = [&](const char *key, size_t value) {
      text(s.architecture + "." + key);
      put<uint32_t>(4);
      put(uint32_t(value));
    };
    const auto real = [&](const char *key, float value) {
      text(s.architecture + "." + key);
      put<uint32_t>(6);
      put(value);
    };
    string("general.architecture", s.architecture);
    string("tokenizer.ggml.model", "no_vocab");
    number("vocab_size", 32);
    number("context_length", 4096);
    number("block_count", s.layers);
    number("embedding_length", s.hidden);
    number("feed_forward_length", s.ffn);
    number("attention.head_count", s.heads);
    number("attention.head_count_kv", s.kvHeads);
    number("attention.key_length", s.headDim);
    number("attention.value_length", s.headDim);
    real("attention.layer_norm_rms_epsilon", 1e-5f);
    real("rope.freq_base", s.ropeTheta);
  }
  void data(const Tensor &tensor) {
    std::vector<char> bytes(tensor.bytes());
    if (tensor.type.elements == 1) {
      const float one = 1.0f;
      for (size_t i = 0; i < bytes.size(); i += sizeof one)
        std::memcpy(&bytes[i], &one, sizeof one);
    } else {
      for (char &byte : bytes) // 2-bit fields of 0 .. 2: codes of every type
        byte = char(trits[random() % 81]);
      const uint16_t scale = 0x1800; // f16 2^-9
      for (size_t block = 0; block < bytes.size(); block += tensor.type.bytes)
        for (size_t at : tensor.type.scales)
          std::memcpy(&bytes[block + at], &scale, sizeof scale);
    }
    out.write(bytes.data(), std::streamsize(bytes.size()));
    pad();
  }
  static std::vector<int> fourTrits() {
    std::vector<int> bytes;
    for (int i = 0; i < 81; ++i)
      bytes.push_back(i % 3 | i / 3 % 3 << 2 | i / 9 % 3 << 4 | i / 27 << 6);
    return bytes;
  }

  std::ofstream out;
  std::minstd_rand random;
  const std::vector<int> trits = fourTrits();
};

//===----------------------------------------------------------------------===//
// The library
//===----------------------------------------------------------------------===//

// Parameters go by value; only the library looks into them. Room for any version's.
struct Parameters {
  alignas(8) unsigned char bytes[512];
};
struct Batch {
  int32_t count;
  int32_t *tokens;
  void *others[5];
};
struct Model;
struct Context;
struct Memory;

struct Llama {
  explicit Llama(const std::string &directory) {
    for (const char *name : {"libggml-base.so", "libggml.v0.5.0.so", "libllama.v0.5.0.so"})
      if (!(handle = dlopen((directory + "/" + name).c_str(), RTLD_NOW | RTLD_GLOBAL)))
        fail(dlerror());
    find("ggml_backend_load_all_from_path", loadBackends);
    find("llama_log_set", logSet);
    find("llama_model_default_params", modelDefaults);
    find("llama_context_default_params", contextDefaults);
    find("llama_model_load_from_file", load);
    find("llama_init_from_model", init);
    find("llama_set_n_threads", setThreads);
    find("llama_get_memory", memory);
    find("llama_memory_clear", clear);
    find("llama_batch_get_one", batchOf);
    find("llama_decode", decode);
    find("llama_synchronize", synchronize);
    logSet([](int, const char *, void *) {}, nullptr);
    loadBackends(directory.c_str());
  }
  template <typename F> void find(const char *name, F *&function) {
    function = reinterpret_cast<F *>(dlsym(RTLD_DEFAULT, name));
    if (!function)
      fail(std::string(name) + " is missing");
  }
  void *handle = nullptr;
  void (*loadBackends)(const char *);
  void (*logSet)(void (*)(int, const char *, void *), void *);
  Parameters (*modelDefaults)();
  Parameters (*contextDefaults)();
  Model *(*load)(const char *, Parameters);
  Context *(*init)(Model *, Parameters);
  void (*setThreads)(Context *, int32_t, int32_t);
  Memory *(*memory)(const Context *);
  void (*clear)(Memory *, bool);
  Batch (*batchOf)(int32_t *, int32_t);
  int32_t (*decode)(Context *, Batch);
  void (*synchronize)(Context *);
};

// Tokens a second, the fastest of the calls within `seconds`; `before` makes room and is not timed.
double fastest(size_t m, double seconds, const std::function<void()> &before,
               const std::function<void()> &call) {
  double best = 0;
  const Clock::time_point start = Clock::now();
  const auto since = [](Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  do {
    before();
    const Clock::time_point begin = Clock::now();
    call();
    best = std::max(best, m / since(begin));
  } while (since(start) < seconds);
  return best;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 15)
    fail("arguments: directory file architecture type layers hidden ffn heads kv_heads head_dim rope_theta "
         "prompt "
         "seconds threads");
  const auto number = [&](int i) { return size_t(std::strtoul(argv[i], nullptr, 10)); };
  const Sizes sizes = {argv[3],   argv[4],    number(5),
                       number(6), number(7),  number(8),
                       number(9), number(10), std::strtof(argv[11], nullptr)};
  const size_t prompt = number(12);
  const double seconds = std::atof(argv[13]);
  Gguf(argv[2]).write(sizes);
  Llama llama(argv[1]);
  Model *model = llama.load(argv[2], llama.modelDefaults());
  Context *context = model ? llama.init(model, llama.contextDefaults()) : nullptr;
  if (!context)
    fail("llama.cpp did not take the model");
  std::vector<int32_t> tokens(prompt, 1);
  const auto decode = [&](size_t count) {
    if (llama.decode(context, llama.batchOf(tokens.data(), int32_t(count))))
      fail("llama_decode failed");
    llama.synchronize(context);
  };
  const auto clear = [&] { llama.clear(llama.memory(context), true); };
  for (size_t threads : {size_t(1), number(14)}) {
    llama.setThreads(context, int32_t(threads), int32_t(threads));
    std::printf("%zu %zu %.2f\n", prompt, threads, fastest(prompt, seconds, clear, [&] { decode(prompt); }));
    size_t position = 0; // of the cache, which has room for 512
    const auto room = [&] {
      if (position++ % 128 == 0)
        clear(), decode(prompt);
    };
    std::printf("1 %zu %.2f\n", threads, fastest(1, seconds, room, [&] { decode(1); }));
    std::fflush(stdout);
    if (threads == number(14))
      break;
  }
}

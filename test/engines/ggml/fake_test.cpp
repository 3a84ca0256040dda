// The plug-in in programs that are no llama.cpp, or one that differs from what it knows: it declines.
#include <cstring>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <string>

namespace {

// What the faked ggml has.
struct Fake {
  int version = 2;
  bool hasCpu = true;
  const char *name = "CPU";
} fake;

struct Registry {
  int version;
  const char *(*name)(Registry *);
  void *others[4];
};

const char *nameOf(Registry *) { return fake.name; }
Registry registry = {2, nameOf, {}};

} // namespace

extern "C" {
std::string said;
void ggml_log_internal(int, const char *, const char *line) { said += line; }
Registry *ggml_backend_reg_by_name(const char *) {
  registry.version = fake.version;
  return fake.hasCpu ? &registry : nullptr;
}
const char *ggml_backend_reg_name(Registry *) { return fake.name; }
#define FAKE(name)                                                                                           \
  void *ggml_##name() { std::abort(); }
FAKE(type_name)
FAKE(type_size)
FAKE(blck_size)
FAKE(nbytes)
FAKE(op_name)
FAKE(tensor_overhead)
FAKE(graph_overhead)
FAKE(init)
FAKE(free)
FAKE(new_tensor_3d)
FAKE(set_name)
FAKE(get_name)
FAKE(view_tensor)
FAKE(mul_mat)
FAKE(mul_mat_id)
FAKE(new_graph)
FAKE(build_forward_expand)
FAKE(backend_reg_dev_get)
FAKE(backend_reg_get_proc_address)
FAKE(backend_dev_init)
FAKE(backend_free)
FAKE(backend_graph_compute)
FAKE(backend_cpu_buffer_type)
FAKE(backend_buft_is_host)
FAKE(backend_buft_name)
FAKE(backend_buft_alloc_buffer)
FAKE(backend_buffer_get_type)
FAKE(backend_buffer_get_base)
FAKE(backend_buffer_get_size)
FAKE(backend_buffer_free)
FAKE(backend_tensor_alloc)
FAKE(backend_tensor_set)
}

namespace {

// What the plug-in says when this program loads it.
std::string load() {
  said.clear();
  void *plugin = dlopen(PLUGIN, RTLD_NOW | RTLD_LOCAL);
  EXPECT_TRUE(plugin) << dlerror();
  auto *start = reinterpret_cast<void *(*)()>(dlsym(plugin, "ggml_backend_init"));
  void *result = start();
  EXPECT_EQ(result, nullptr);
  dlclose(plugin);
  return said;
}

TEST(FakeGgml, WithoutCpu) {
  fake = Fake();
  fake.hasCpu = false;
  EXPECT_EQ(load(), "left out: no CPU back end is loaded");
}

TEST(FakeGgml, OfAnotherVersion) {
  fake = Fake();
  fake.version = 3;
  EXPECT_EQ(load(), "left out: ggml's interface to back ends has another version");
}

TEST(FakeGgml, OfAnotherName) {
  fake = Fake();
  fake.name = "GPU";
  EXPECT_EQ(load(), "left out: ggml's CPU back end has another form");
}

TEST(FakeGgml, WithoutExtraBufferTypes) {
  fake = Fake();
  EXPECT_EQ(load(), "left out: ggml's CPU back end does not export its extra buffer types and its barrier");
}

TEST(FakeGgml, SilentAndOff) {
  fake = Fake();
  setenv("LUTC_QUIET", "1", 1);
  EXPECT_EQ(load(), "");
  unsetenv("LUTC_QUIET");
  setenv("LUTC_OFF", "1", 1);
  EXPECT_EQ(load(), "");
  unsetenv("LUTC_OFF");
}

} // namespace

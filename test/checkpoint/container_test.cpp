// safetensors and GGUF: what good files hold, and one clear error for each bad one.
#include "compiler/checkpoint/Checkpoint.h"
#include "files.h"
#include "llvm/ADT/StringExtras.h"
#include <gmock/gmock.h>

using namespace lut;
using namespace lut::test;

namespace {

std::string problemOf(const std::string &path) {
  llvm::Expected<Checkpoint> checkpoint = openCheckpoint(path);
  return checkpoint ? "" : llvm::toString(checkpoint.takeError());
}

// The error of a file with these bytes, without its path.
std::string problemOf(const Bytes &bytes, const std::string &name = "model.safetensors") {
  Directory directory;
  std::string path = directory.write(name, bytes), problem = problemOf(path);
  if (problem.rfind(path + ": ", 0) == 0)
    problem.erase(0, path.size() + 2);
  EXPECT_EQ(problem.find('\n'), std::string::npos) << "one error, on one line";
  return problem;
}

Bytes zeros(size_t count) { return Bytes(count); }

TEST(Safetensors, TensorsAreMapped) {
  Directory directory;
  std::string path = directory.write(
      "a.safetensors",
      safetensors({{"model.norm.weight", "F32", 0, {2}, bytesOf(std::vector<float>{1, -2})},
                   {"lm_head.weight", "BF16", 0, {2, 3}, bytesOf(std::vector<uint16_t>{1, 2, 3, 4, 5, 6})},
                   {"step", "I64", 0, {}, zeros(8)}}));
  directory.write("config.json", std::string("{}"));
  Checkpoint checkpoint = llvm::cantFail(openCheckpoint(path));
  EXPECT_FALSE(checkpoint.isGguf());
  EXPECT_EQ(checkpoint.config, (directory.path / "config.json").string());
  ASSERT_EQ(checkpoint.tensors.size(), 3u);
  const Tensor *head = checkpoint.find("lm_head.weight");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->type->id, TensorType::Id::BF16);
  EXPECT_EQ(head->shapeText(), "2 x 3");
  EXPECT_EQ(head->bytes[2], 2);
  EXPECT_EQ(checkpoint.find("step")->elements(), 1);
  EXPECT_EQ(checkpoint.find("nothing"), nullptr);
  EXPECT_EQ(*checkpoint.metadata.find("format")->string(), "pt");
}

TEST(Safetensors, NamesMayBeEscaped) {
  Directory directory;
  std::string header =
      R"({ "a\u00e9\ud83d\ude00\n\"" : {"data_offsets":[0,1],"shape":[1],"dtype":"U8"} }   )";
  std::string path = directory.write("a.safetensors", safetensors(header, zeros(1)));
  Checkpoint checkpoint = llvm::cantFail(openCheckpoint(path));
  EXPECT_TRUE(checkpoint.find("a\u00e9\U0001f600\n\""));
}

TEST(Safetensors, ShardsFollowTheIndex) {
  Directory directory;
  directory.write("model-00001-of-00002.safetensors", safetensors({{"a", "F32", 0, {1}, zeros(4)}}));
  directory.write("model-00002-of-00002.safetensors", safetensors({{"b", "F32", 0, {1}, zeros(4)}}));
  auto index = [&](const std::string &map) {
    directory.write("model.safetensors.index.json",
                    R"({"metadata":{"total_size":8,"x":[{"y":null}]},"weight_map":)" + map + "}");
    return problemOf(directory.path.string());
  };
  EXPECT_EQ(index(R"({"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"})"), "");
  Checkpoint checkpoint = llvm::cantFail(openCheckpoint(directory.path.string()));
  EXPECT_EQ(checkpoint.files.size(), 2u);
  EXPECT_TRUE(checkpoint.find("a") && checkpoint.find("b"));
  for (const std::string &part : {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"})
    EXPECT_EQ(llvm::cantFail(openCheckpoint((directory.path / part).string())).tensors.size(), 2u) << part;
  EXPECT_THAT(
      index(R"({"a":"model-00002-of-00002.safetensors"})"),
      testing::HasSubstr("tensor 'a': is not in 'model-00002-of-00002.safetensors', where the index"));
  EXPECT_THAT(
      index(R"({"a":"model-00001-of-00002.safetensors","c":"model-00002-of-00002.safetensors"})"),
      testing::HasSubstr("tensor 'c': is not in 'model-00002-of-00002.safetensors', where the index"));
  directory.write("model-00002-of-00002.safetensors",
                  safetensors({{"b", "F32", 0, {1}, zeros(4)}, {"c", "F32", 0, {1}, zeros(4)}}));
  EXPECT_THAT(
      index(R"({"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"})"),
      testing::HasSubstr("tensor 'c': is in 'model-00002-of-00002.safetensors', and the index does not"));
  EXPECT_THAT(index(R"({"a":"model-00001-of-00002.safetensors","a":"model-00001-of-00002.safetensors"})"),
              testing::HasSubstr("tensor 'a' is given twice"));
  EXPECT_THAT(index(R"({"a":"model-00001-of-00002.safetensors"},"weight_map":{})"),
              testing::HasSubstr("'weight_map' is given twice"));
  EXPECT_THAT(index(R"({"a":"../other/model.safetensors"})"), testing::HasSubstr("is no name of a file"));
  EXPECT_THAT(index(R"({"a":"/etc/passwd"})"), testing::HasSubstr("is no name of a file"));
  EXPECT_THAT(index(R"({"a":"absent.safetensors"})"), testing::HasSubstr("absent.safetensors: cannot read"));
  EXPECT_THAT(index("{}"), testing::HasSubstr("names no tensors in weight_map"));
  EXPECT_THAT(index(R"({"a":3})"), testing::HasSubstr("expected '\"'"));
  directory.write("model-00002-of-00002.safetensors", safetensors({{"a", "F32", 0, {1}, zeros(4)}}));
  EXPECT_THAT(index(R"({"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"})"),
              testing::HasSubstr("tensor 'a': there are two of this name"));
}

// Their sizes are said to differ, and nothing is refused: converters copy the index of the original.
TEST(Safetensors, TotalSizeIsCompared) {
  Directory directory;
  directory.write("a.safetensors", safetensors({{"a", "F32", 0, {1}, zeros(4)}}));
  auto notes = [&](const std::string &metadata) {
    std::string path =
        directory.write("model.safetensors.index.json",
                        R"({"metadata":)" + metadata + R"(,"weight_map":{"a":"a.safetensors"}})");
    std::vector<std::string> notes = llvm::cantFail(openCheckpoint(path)).notes;
    return notes.empty() ? "" : notes.front();
  };
  for (const char *good :
       {R"({"total_size":4})", "{}", "[]", R"({"total_size":"x"})", R"({"total_size":NaN})"})
    EXPECT_EQ(notes(good), "") << good;
  EXPECT_THAT(notes(R"({"x":1.5,"total_size":8})"),
              testing::HasSubstr("total_size is 8, and the tensors have 4 bytes"));
}

// A part without the index of all is read alone, and that is said.
TEST(Safetensors, PartWithoutIndex) {
  Directory directory;
  Bytes part = safetensors({{"a", "F32", 0, {1}, zeros(4)}});
  auto notes = [&](const char *name) {
    return llvm::cantFail(openCheckpoint(directory.write(name, part))).notes;
  };
  EXPECT_THAT(notes("model-00001-of-00002.safetensors"),
              testing::ElementsAre(testing::HasSubstr("is a part of a model, without the index of all")));
  EXPECT_THAT(notes("model.safetensors"), testing::IsEmpty());
}

TEST(Checkpoint, StemsHaveNoNumberOfAPart) {
  EXPECT_EQ(modelStem("a/llama-00001-of-00003.gguf"), "llama");
  EXPECT_EQ(modelStem("a.b-q4-00002-of-00002.gguf"), "a.b-q4");
  EXPECT_EQ(modelStem("a/model.safetensors"), "model");
  for (const char *stem : {"one-of-a-kind", "2-of-3", "x-of-3", "x-1-of-", "-1-of-2", "x1-of-2"})
    EXPECT_EQ(modelStem(stem), stem);
}

TEST(Safetensors, DirectoriesAreSearched) {
  Directory directory;
  EXPECT_THAT(problemOf(directory.path.string()), testing::HasSubstr("holds no .safetensors and no .gguf"));
  directory.write("one.safetensors", safetensors({{"a", "F32", 0, {1}, zeros(4)}}));
  EXPECT_EQ(problemOf(directory.path.string()), "");
  directory.write("two.safetensors", safetensors({{"a", "F32", 0, {1}, zeros(4)}}));
  EXPECT_THAT(problemOf(directory.path.string()), testing::HasSubstr("holds several files of tensors"));
  directory.write("model.safetensors", safetensors({{"a", "F32", 0, {1}, zeros(4)}}));
  EXPECT_EQ(problemOf(directory.path.string()), "");
  EXPECT_THAT(problemOf("/dev/zero"), testing::HasSubstr("is no regular file"));
  EXPECT_THAT(problemOf((directory.path / "none").string()), testing::HasSubstr("cannot read"));
}

struct BadHeader {
  const char *header, *problem;
  size_t data = 16;
};

class BadSafetensors : public testing::TestWithParam<BadHeader> {};

TEST_P(BadSafetensors, HasOneError) {
  EXPECT_THAT(problemOf(safetensors(GetParam().header, zeros(GetParam().data))),
              testing::HasSubstr(GetParam().problem));
}

INSTANTIATE_TEST_SUITE_P(
    Headers, BadSafetensors,
    testing::Values(
        BadHeader{R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,17]}})", "do not lie in the 16 bytes"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[16,0]}})", "do not lie in the 16 bytes"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[18446744073709551615,3]}})",
                  "do not lie in the 16 bytes"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0]}})", "do not lie in the 16 bytes"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[4]}})", "do not lie in the 16 bytes"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,16]}})",
                  "span 16 bytes, and dtype and shape need 12"},
        BadHeader{R"({"a":{"dtype":"F31","shape":[4],"data_offsets":[0,16]}})", "unknown dtype 'F31'"},
        BadHeader{R"({"a":{"shape":[4],"data_offsets":[0,16]}})", "unknown dtype ''"},
        BadHeader{R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}})", "more elements than a file"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,16]}})",
                  "more elements than a file can hold"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,16]}})",
                  "more elements than a file can hold"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,16]}})",
                  "expected an integer"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}})", "expected an integer"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[4.0],"data_offsets":[0,16]}})", "expected an integer"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})",
                  "more than 8 numbers"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                  R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                  "tensor 'b': overlaps tensor 'a'"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                  R"("a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})",
                  "tensor 'a': there are two of this name"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})",
                  "8 bytes from byte 0 of the data on belong to no tensor"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[12,16]},)"
                  R"("b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
                  "4 bytes from byte 8 of the data on belong to no tensor"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
                  "8 bytes from byte 8 of the data on belong to no tensor"},
        BadHeader{"{}", "16 bytes from byte 0 of the data on belong to no tensor"},
        BadHeader{R"( {"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})",
                  "expected '{' as its first byte"},
        BadHeader{R"({"a":{"dtype":"F32","dtype":"F32","shape":[4],"data_offsets":[0,16]}})",
                  "'dtype' is given twice"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[4],"shape":[4],"data_offsets":[0,16]}})",
                  "'shape' is given twice"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16],"data_offsets":[0,16]}})",
                  "'data_offsets' is given twice"},
        BadHeader{R"({"__metadata__":{"a":"1","a":"1"}})", "'a' is given twice"},
        BadHeader{R"({"__metadata__":{},"__metadata__":{}})", "'__metadata__' is given twice"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[[4]],"data_offsets":[0,16]}})", "expected an integer"},
        BadHeader{R"({"a":{"type":"F32"}})", "unknown key 'type'"},
        BadHeader{R"({"a":[]})", "expected '{' at the start of an object"},
        BadHeader{R"({"__metadata__":{"a":1}})", "expected '\"' at the start of a string"},
        BadHeader{"{\"a\xff\":{}}", "a string that is not UTF-8"},
        BadHeader{"{\"a\\ud800\":{}}", "half of a surrogate pair"},
        BadHeader{"{\"a\\u12\":{}}", "\\u needs four hexadecimal digits"},
        BadHeader{"{\"a\\x\":{}}", "no such escape"}, BadHeader{"{\"a\n\":{}}", "a control character"},
        BadHeader{"{\"a", "a string without end"}, BadHeader{"{", "expected '\"'"},
        BadHeader{"", "expected '{'"}, BadHeader{"{} {}", "text behind the header's object"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}})", "text behind"}));

TEST(BadSafetensors, LengthsAreNotTrusted) {
  EXPECT_THAT(problemOf(zeros(0)), testing::HasSubstr("has 0 bytes"));
  EXPECT_THAT(problemOf(zeros(7)), testing::HasSubstr("has 7 bytes"));
  Bytes huge = bytesOf(std::vector<uint64_t>{UINT64_MAX, 0});
  EXPECT_THAT(problemOf(huge), testing::HasSubstr("says its header has 18446744073709551615 bytes"));
}

// Deep nesting must not reach the stack, a large header not the heap.
TEST(BadSafetensors, BombsAreHarmless) {
  std::string deep = R"({"a":)" + std::string(20'000'000, '[');
  EXPECT_THAT(problemOf(safetensors(deep, {})), testing::HasSubstr("expected '{'"));
  std::string shape = R"({"a":{"dtype":"F32","shape":[)" + std::string(20'000'000, '1');
  EXPECT_THAT(problemOf(safetensors(shape, {})), testing::HasSubstr("expected an integer"));
  Directory directory;
  std::string index = R"({"x":)" + std::string(20'000'000, '[');
  EXPECT_THAT(problemOf(directory.write("model.safetensors.index.json", index)),
              testing::HasSubstr("expected a value"));
}

TEST(BadSafetensors, CutShortAnywhere) {
  Bytes good = safetensors({{"a", "F32", 0, {4}, zeros(16)}, {"b", "U8", 0, {3}, zeros(3)}});
  EXPECT_EQ(problemOf(good), "");
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_NE(problemOf(Bytes(good.begin(), good.begin() + size)), "") << size;
}

TEST(Checkpoint, ManyTensorsOpenFast) {
  std::vector<FileTensor> tensors;
  for (int i = 0; i < 100'000; ++i)
    tensors.push_back({"model.layers." + std::to_string(i / 700) + ".mlp.experts." + std::to_string(i) +
                           ".gate_proj.weight",
                       "F16",
                       1,
                       {1, 2},
                       zeros(4)});
  Directory directory;
  for (const std::string &path : {directory.write("a.safetensors", safetensors(tensors)),
                                  directory.write("a.gguf", gguf({}, tensors))}) {
    auto start = std::chrono::steady_clock::now();
    Checkpoint checkpoint = llvm::cantFail(openCheckpoint(path));
    std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(checkpoint.tensors.size(), tensors.size());
    EXPECT_TRUE(checkpoint.find(tensors.back().name));
    RecordProperty("seconds", std::to_string(time.count()));
    EXPECT_LT(time.count(), 1);
  }
}

// A file with a hole, which takes no room on the disk.
TEST(Checkpoint, OffsetsBeyondFourGigabytes) {
  Directory directory;
  const uint64_t hole = uint64_t(5) << 30;
  auto header = [&](uint64_t size) {
    return R"({"hole":{"dtype":"U8","shape":[)" + std::to_string(size) + R"(],"data_offsets":[0,)" +
           std::to_string(size) + R"(]},"end":{"dtype":"F32","shape":[1],"data_offsets":[)" +
           std::to_string(size) + "," + std::to_string(size + 4) + "]}}";
  };
  std::string path = directory.write("a.safetensors", safetensors(header(hole), {}));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) + hole);
  std::ofstream(path, std::ios::binary | std::ios::app).write("abcd", 4);
  Checkpoint checkpoint = llvm::cantFail(openCheckpoint(path));
  EXPECT_EQ(checkpoint.find("hole")->bytes.size(), hole);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(llvm::toStringRef(checkpoint.find("end")->bytes), "abcd");
    checkpoint.dropPages(checkpoint.find("hole")->bytes);
    checkpoint.dropPages(checkpoint.find("end")->bytes);
  }
  std::filesystem::resize_file(path, hole);
  EXPECT_THAT(problemOf(path), testing::HasSubstr("do not lie in the"));
}

Bytes smallGguf() {
  GgufValue tokens{"tokenizer.ggml.tokens", 9, {}};
  append<uint32_t>(tokens.bytes, 8);
  append<uint64_t>(tokens.bytes, 2);
  appendText(tokens.bytes, "<s>");
  appendText(tokens.bytes, "a");
  GgufValue heads{"llama.attention.head_count_kv", 9, {}};
  append<uint32_t>(heads.bytes, 4);
  append<uint64_t>(heads.bytes, 2);
  append<uint32_t>(heads.bytes, 7);
  append<uint32_t>(heads.bytes, 9);
  return gguf({ggufText("general.architecture", "llama"),
               ggufNumber("llama.block_count", 2),
               tokens,
               heads,
               {"flag", 7, {1}},
               {"epsilon", 6, bytesOf(std::vector<float>{0.5f})},
               {"signed", 11, bytesOf(std::vector<int64_t>{-3})},
               {"large", 10, bytesOf(std::vector<uint64_t>{UINT64_MAX})}},
              {{"token_embd.weight", "", 1, {3, 32}, zeros(192)},
               {"blk.0.attn_q.weight", "", 2, {2, 64}, zeros(72)}});
}

TEST(Gguf, TensorsAndMetadata) {
  Directory directory;
  Checkpoint checkpoint = llvm::cantFail(openCheckpoint(directory.write("model.gguf", smallGguf())));
  EXPECT_TRUE(checkpoint.isGguf());
  EXPECT_EQ(checkpoint.version, 3u);
  const Tensor *weight = checkpoint.find("blk.0.attn_q.weight");
  ASSERT_TRUE(weight);
  EXPECT_EQ(weight->type->id, TensorType::Id::Q4_0);
  EXPECT_EQ(weight->shapeText(), "2 x 64"); // the file has k first
  EXPECT_EQ(weight->bytes.size(), 72u);
  const Metadata &metadata = checkpoint.metadata;
  EXPECT_EQ(*metadata.find("general.architecture")->string(), "llama");
  EXPECT_EQ(*metadata.find("llama.block_count")->integer(), 2);
  EXPECT_EQ(*metadata.find("signed")->integer(), -3);
  EXPECT_FALSE(metadata.find("large")->integer());
  EXPECT_EQ(*metadata.find("epsilon")->number(), 0.5);
  EXPECT_TRUE(*metadata.find("flag")->boolean());
  EXPECT_EQ(*metadata.find("llama.attention.head_count_kv")->integers(), (std::vector<int64_t>{7, 9}));
  EXPECT_FALSE(metadata.find("tokenizer.ggml.tokens")->integers());
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (const MetadataEntry &entry : metadata.entries)
    entry.value.print(stream << " ");
  EXPECT_EQ(text, " \"llama\" 2 [\"<s>\", \"a\"] [7, 9] true 0.5 -3 18446744073709551615");
}

// As gguf-split writes them: u16, u16, i32.
std::vector<GgufValue> splitValues(uint16_t number, uint16_t count, int32_t tensors) {
  return {{"split.no", 2, bytesOf(std::vector<uint16_t>{number})},
          {"split.count", 2, bytesOf(std::vector<uint16_t>{count})},
          {"split.tensors.count", 5, bytesOf(std::vector<int32_t>{tensors})}};
}

TEST(Gguf, PartsOfOneModel) {
  Directory directory;
  auto part = [&](const std::string &name, const std::string &tensor, std::vector<GgufValue> values,
                  const std::string &architecture = "") {
    if (!architecture.empty())
      values.push_back(ggufText("general.architecture", architecture));
    return directory.write(name, gguf(values, {{tensor, "", 0, {1, 1}, zeros(4)}}));
  };
  std::string first = part("m-00001-of-00002.gguf", "a", splitValues(0, 2, 2), "llama");
  EXPECT_THAT(problemOf(first), testing::HasSubstr("m-00002-of-00002.gguf: cannot read"));
  auto withSecond = [&](const std::string &tensor, const std::vector<GgufValue> &values,
                        const std::string &architecture = "") {
    part("m-00002-of-00002.gguf", tensor, values, architecture);
    return problemOf(first);
  };
  using testing::HasSubstr;
  EXPECT_EQ(withSecond("b", splitValues(1, 2, 2)), "");
  EXPECT_EQ(withSecond("b", splitValues(1, 2, 2), "llama"), "");
  EXPECT_EQ(llvm::cantFail(openCheckpoint(directory.path.string())).tensors.size(), 2u);
  const std::string second = "m-00002-of-00002.gguf: ";
  EXPECT_THAT(problemOf((directory.path / "m-00002-of-00002.gguf").string()),
              HasSubstr("is one of 2 parts; give the first one"));
  EXPECT_THAT(withSecond("b", {}), HasSubstr(second + "has no split.no, which would be 1"));
  EXPECT_THAT(withSecond("b", splitValues(0, 2, 2)),
              HasSubstr(second + "split.no is not 1, as of part 2 of 2"));
  EXPECT_THAT(withSecond("b", splitValues(1, 3, 2)), HasSubstr(second + "split.count is not 2"));
  EXPECT_THAT(withSecond("b", splitValues(1, 2, 3)),
              HasSubstr(second + "its 'split.tensors.count' differs from that of the first part"));
  EXPECT_THAT(withSecond("b", splitValues(1, 2, 2), "qwen2"),
              HasSubstr(second + "its 'general.architecture' differs from that of the first part"));
  EXPECT_THAT(withSecond("a", splitValues(1, 2, 2)), HasSubstr("tensor 'a': there are two of this name"));
  part("m-00001-of-00002.gguf", "a", splitValues(0, 2, 3), "llama");
  EXPECT_THAT(withSecond("b", splitValues(1, 2, 3)),
              HasSubstr("m-00001-of-00002.gguf: split.tensors.count is not 2, the tensors of all 2 parts"));
  part("m-00001-of-00002.gguf", "a", splitValues(1, 2, 2), "llama");
  EXPECT_THAT(withSecond("b", splitValues(1, 2, 2)), HasSubstr("m-00001-of-00002.gguf: split.no is not 0"));
  auto uncounted = [](uint16_t number) {
    std::vector<GgufValue> values = splitValues(number, 2, 2);
    values.pop_back();
    return values;
  };
  part("m-00001-of-00002.gguf", "a", uncounted(0));
  EXPECT_THAT(withSecond("b", uncounted(1)), HasSubstr("m-00001-of-00002.gguf: has no split.tensors.count"));
}

// The types of a fork have other sizes than ours of the same number; only the places of tensors tell.
TEST(BadGguf, BytesBetweenTensors) {
  using testing::HasSubstr;
  auto tensors = [](size_t first, size_t last) {
    return std::vector<FileTensor>{{"a", "", 0, {1, 8}, zeros(first)}, {"b", "", 2, {2, 64}, zeros(last)}};
  };
  auto with = [&](size_t first, size_t last) { return problemOf(gguf({}, tensors(first, last)), "a.gguf"); };
  EXPECT_EQ(with(32, 72), "");
  EXPECT_EQ(with(32, 96), ""); // its own padding
  EXPECT_THAT(with(33, 72),
              HasSubstr("tensor 'a': takes 64 bytes, and its type F32 needs 32: another program's type?"));
  EXPECT_THAT(with(32, 97),
              HasSubstr("tensor 'b': takes 128 bytes up to the end of the file, and its type Q4_0 needs 72"));
  Bytes file = gguf({}, tensors(32, 72));
  const size_t size = file.size(), padding = 96 - 72;
  for (size_t less = 0; less <= padding; ++less) // writers may leave padding out at the end
    EXPECT_EQ(problemOf(Bytes(file.begin(), file.end() - less), "a.gguf"), "") << less;
  file.resize(size + 1);
  EXPECT_THAT(problemOf(file, "a.gguf"), HasSubstr("tensor 'b': takes 97 bytes up to the end of the file"));
  // Infos in another order than the data.
  auto offsets = [&](uint64_t a, uint64_t b) {
    Bytes swapped = gguf({}, tensors(96, 72));
    // 24 bytes of header; each info has name (8 + 1), dimensions (4), extents (8 + 8), type (4), offset (8).
    std::memcpy(swapped.data() + 57, &a, 8);
    std::memcpy(swapped.data() + 57 + 41, &b, 8);
    return problemOf(swapped, "a.gguf");
  };
  EXPECT_THAT(offsets(0, 96), HasSubstr("tensor 'a': takes 96 bytes, and its type F32 needs 32"));
  EXPECT_THAT(offsets(160, 64), HasSubstr("tensor 'b': 64 bytes of data before it belong to no tensor"));
  EXPECT_THAT(offsets(160, 0), HasSubstr("tensor 'b': takes 160 bytes"));
}

TEST(BadGguf, KeysGivenTwice) {
  EXPECT_THAT(problemOf(gguf({ggufNumber("a", 1), ggufNumber("b", 1), ggufNumber("a", 1)}, {}), "a.gguf"),
              testing::HasSubstr("metadata 'a' is given twice"));
}

TEST(BadGguf, CutShortAnywhere) {
  Bytes good = smallGguf();
  EXPECT_EQ(problemOf(good, "a.gguf"), "");
  size_t padding = 32 - 72 % 32; // behind the last tensor
  for (size_t size = 0; size < good.size() - padding; ++size)
    EXPECT_NE(problemOf(Bytes(good.begin(), good.begin() + size), "a.gguf"), "") << size;
}

TEST(BadGguf, HasOneError) {
  auto with = [&](const std::vector<FileTensor> &tensors) { return problemOf(gguf({}, tensors), "a.gguf"); };
  auto patched = [&](size_t at, const Bytes &patch) {
    Bytes bytes = gguf({}, {{"a", "", 0, {1, 1}, zeros(4)}});
    std::copy(patch.begin(), patch.end(), bytes.begin() + at);
    return problemOf(bytes, "a.gguf");
  };
  using testing::HasSubstr;
  EXPECT_THAT(patched(4, {1, 0, 0, 0}), HasSubstr("is GGUF version 1, not 2 or 3"));
  EXPECT_EQ(patched(4, {2, 0, 0, 0}), "");
  EXPECT_THAT(patched(4, {0, 0, 0, 3}), HasSubstr("is a big-endian GGUF file"));
  EXPECT_THAT(patched(8, Bytes(8, 255)), HasSubstr("18446744073709551615 tensors and 0 values"));
  EXPECT_THAT(patched(16, Bytes(8, 255)), HasSubstr("18446744073709551615 values"));
  // Behind 24 bytes of header: name (8 + 1), dimensions (4), extents (8 + 8), type (4), offset (8).
  EXPECT_THAT(patched(24, Bytes(8, 255)), HasSubstr("ends inside its header"));
  EXPECT_THAT(patched(32, {0xff}), HasSubstr("'\\FF' is not UTF-8"));
  EXPECT_THAT(patched(33, {5}), HasSubstr("has 5 dimensions"));
  EXPECT_THAT(patched(37, Bytes(8, 255)), HasSubstr("more elements than a file can hold"));
  EXPECT_THAT(patched(43, {1, 0, 0, 0, 0, 0, 0, 1}), HasSubstr("more elements than a file can hold"));
  EXPECT_THAT(patched(53, {77}), HasSubstr("has type 77, which ggml does not have"));
  EXPECT_THAT(patched(53, {31}),
              HasSubstr("has type Q4_0_4_4, which ggml has removed; quantize the model again, to Q4_0"));
  EXPECT_THAT(patched(53, {38}),
              HasSubstr("IQ4_NL_8_8, which ggml has removed; quantize the model again, to IQ4_NL"));
  EXPECT_THAT(patched(57, {32}), HasSubstr("its 4 bytes at offset 32 do not lie in the 32 bytes of data"));
  EXPECT_THAT(patched(57, {1}), HasSubstr("offset 1 is no multiple of the alignment 32"));
  EXPECT_THAT(patched(57, {0xe0, 255, 255, 255, 255, 255, 255, 255}), HasSubstr("do not lie in the"));
  EXPECT_THAT(with({{"a", "", 2, {1, 33}, zeros(32)}}),
              HasSubstr("rows of 33 elements are no whole blocks of 32"));
  EXPECT_THAT(with({{"a", "", 0, {1}, zeros(4)}, {"a", "", 0, {1}, zeros(4)}}),
              HasSubstr("two of this name"));
  EXPECT_THAT(with({{"a", "", 0, {1}, {}}, {"b", "", 0, {1}, zeros(4)}}),
              HasSubstr("tensor 'b': overlaps tensor 'a'"));
}

TEST(BadGguf, MetadataIsChecked) {
  auto with = [&](const GgufValue &value) { return problemOf(gguf({value}, {}), "a.gguf"); };
  auto array = [](uint32_t type, uint64_t count) {
    Bytes bytes;
    append(bytes, type);
    append(bytes, count);
    return bytes;
  };
  using testing::HasSubstr;
  EXPECT_THAT(with({"a", 13, zeros(8)}), HasSubstr("metadata 'a' has type 13"));
  EXPECT_THAT(with({"a", 9, array(9, 1)}), HasSubstr("is a list of values of type 9")); // no lists of lists
  EXPECT_THAT(with({"a", 9, array(13, 1)}), HasSubstr("is a list of values of type 13"));
  EXPECT_THAT(with({"a", 9, array(10, UINT64_MAX / 4)}), HasSubstr("ends inside its header"));
  EXPECT_THAT(with({"a", 9, array(8, UINT64_MAX)}), HasSubstr("ends inside its header"));
  EXPECT_THAT(with({"a", 8, bytesOf(std::vector<uint64_t>{UINT64_MAX})}),
              HasSubstr("ends inside its header"));
  for (uint32_t alignment : {0u, 3u, 1u << 25})
    EXPECT_THAT(with(ggufNumber("general.alignment", alignment)), HasSubstr("is no power of two"));
  EXPECT_THAT(with(ggufText("general.alignment", "x")), HasSubstr("is no power of two"));
  EXPECT_THAT(with(ggufNumber("split.count", 1 << 20)), HasSubstr("one of 1048576 parts"));
}

} // namespace

#include "Decoder.h"
#include <chrono>
#include <cstring>

using namespace lut::example;

static constexpr const char *groupsOfLayer[] = {"attention_in", "attention_out", "ffn"};

Decoder::Decoder(const lutc_library &library, const Shape &shape, size_t tokens, size_t positions)
    : shape(shape), library(library), rope(shape, positions), caches(shape.layers, KvCache(shape, positions)),
      q(tokens * shape.heads * shape.headDim), k(tokens * shape.kvHeads * shape.headDim), v(k.size()),
      attended(q.size()) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> nearOne(1.0f, 0.1f);
  for (const char *name : groupsOfLayer) {
    const lutc_group *group = this->group(name);
    if (!group) {
      missing = name;
      return;
    }
    const lutc_group_info &info = *lutc_group_describe(group);
    for (size_t i = 0; i < info.operand_count; ++i) {
      const lutc_operand_info &operand = info.operands[i];
      if (operand.kind == LUTC_WEIGHTS) {
        linears.emplace_back(operand.kernel, 0, random);
        offsets.push_back(layerBytes);
        layerBytes += linears.back().packedBytes();
      } else if (operand.kind == LUTC_VECTOR) {
        std::vector<float> &vector = vectors[std::string(name) + "." + operand.name];
        for (size_t j = 0; j < operand.size; ++j)
          vector.push_back(nearOne(random));
      }
    }
  }
  scratchBytes = lutc_library_scratch_bytes(&library, tokens);
  scratch = std::make_unique<Pages>(scratchBytes);
  packed = std::make_unique<Pages>(packedBytes());
  for (size_t i = 0; i < linears.size() && status == LUTC_OK; ++i) {
    const lutc_weights weights = linears[i].weights.view();
    status = lutc_pack(linears[i].kernel, &weights, packed->data() + offsets[i], linears[i].packedBytes());
  }
  for (size_t layer = 1; layer < shape.layers; ++layer)
    std::memcpy(packed->data() + layer * layerBytes, packed->data(), layerBytes);
}

const lutc_group *Decoder::group(const std::string &name) const {
  for (size_t i = 0; i < library.group_count; ++i)
    if (name == lutc_group_describe(library.groups[i])->name)
      return library.groups[i];
  return nullptr;
}

const Linear *Decoder::linear(const std::string &kernel) const {
  for (const Linear &linear : linears)
    if (kernel == linear.info.name)
      return &linear;
  return nullptr;
}

const std::vector<float> *Decoder::vector(const std::string &group, const std::string &operand) const {
  const auto found = vectors.find(group + "." + operand);
  return found == vectors.end() ? nullptr : &found->second;
}

Decoder::Call Decoder::bind(const std::string &name, const std::map<std::string, float *> &rows) const {
  Call call = {group(name), {}, {}};
  const lutc_group_info &info = *lutc_group_describe(call.group);
  for (size_t i = 0; i < info.operand_count; ++i) {
    const lutc_operand_info &operand = info.operands[i];
    if (operand.kind == LUTC_WEIGHTS) {
      const size_t index = linear(lutc_kernel_describe(operand.kernel)->name) - linears.data();
      call.weights.push_back({i, offsets[index]});
      call.operands.push_back({});
    } else if (operand.kind == LUTC_VECTOR) {
      call.operands.push_back({vector(name, operand.name)->data(), 0});
    } else {
      call.operands.push_back({rows.at(operand.name), operand.size});
    }
  }
  return call;
}

lutc_status Decoder::run(Call &call, size_t m, size_t layer, const lutc_parallel *parallel) {
  for (auto [operand, offset] : call.weights)
    call.operands[operand].data = packed->data() + layer * layerBytes + offset;
  return lutc_run_group(call.group, m, call.operands.data(), scratch->data(), scratchBytes, parallel);
}

void Decoder::attend(size_t m, size_t position, size_t layer, const lutc_parallel *parallel) {
  const auto start = std::chrono::steady_clock::now();
  rope.apply(q.data(), m, shape.heads, position);
  rope.apply(k.data(), m, shape.kvHeads, position);
  caches[layer].store(k.data(), v.data(), m, position);
  caches[layer].attend(q.data(), attended.data(), m, position, parallel);
  attentionSeconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

lutc_status Decoder::run(float *x, size_t m, size_t position, size_t layers, const lutc_parallel *parallel) {
  Call in =
      bind("attention_in", {{"x", x}, {"q_proj", q.data()}, {"k_proj", k.data()}, {"v_proj", v.data()}});
  Call out = bind("attention_out", {{"x", attended.data()}, {"residual", x}, {"o_proj", x}});
  Call ffn = bind("ffn", {{"x", x}, {"residual", x}, {"down_proj", x}});
  lutc_status result = LUTC_OK;
  for (size_t layer = 0; layer < layers && result == LUTC_OK; ++layer) {
    result = run(in, m, layer, parallel);
    if (result != LUTC_OK)
      break;
    attend(m, position, layer, parallel);
    result = run(out, m, layer, parallel);
    if (result == LUTC_OK)
      result = run(ffn, m, layer, parallel);
  }
  return result;
}

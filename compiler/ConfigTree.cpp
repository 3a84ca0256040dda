#include "compiler/ConfigTree.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/YAMLParser.h"

using namespace llvm;

namespace lut {

// Deeper documents are not ours, and the parsers recurse.
static constexpr unsigned maxDepth = 64;

bool ConfigNode::isString() const { return kind == Scalar && (quoted || (!number() && !boolean())); }

std::optional<int64_t> ConfigNode::integer() const {
  int64_t value;
  if (kind != Scalar || quoted || StringRef(text).getAsInteger(10, value))
    return std::nullopt;
  return value;
}

std::optional<double> ConfigNode::number() const {
  double value;
  bool numeric =
      kind == Scalar && !quoted && StringRef("+-.0123456789").contains(text.empty() ? 'x' : text[0]);
  if (!numeric || StringRef(text).getAsDouble(value))
    return std::nullopt;
  return value;
}

std::optional<bool> ConfigNode::boolean() const {
  if (kind != Scalar || quoted || (text != "true" && text != "false"))
    return std::nullopt;
  return text == "true";
}

const ConfigMember *ConfigNode::member(StringRef key) const {
  for (const ConfigMember &member : members)
    if (member.key == key)
      return &member;
  return nullptr;
}

const ConfigNode *ConfigNode::find(StringRef key) const {
  const ConfigMember *found = member(key);
  return found && found->value.kind != Null ? &found->value : nullptr;
}

std::string ConfigNode::describe() const {
  switch (kind) {
  case Null:
    return "nothing";
  case Sequence:
    return "a list";
  case Mapping:
    return "a mapping";
  case Scalar:
    break;
  }
  return isString() ? "the string '" + text + "'" : text;
}

namespace {

// Copies LLVM's streaming nodes, which can be visited once, into a tree.
class TreeBuilder {
public:
  explicit TreeBuilder(Diagnostics &diagnostics) : diagnostics(diagnostics) {}

  bool build(yaml::Node *node, ConfigNode &out, unsigned depth);

private:
  bool buildScalar(yaml::ScalarNode *node, ConfigNode &out);
  bool buildMapping(yaml::MappingNode *node, ConfigNode &out, unsigned depth);
  bool buildMember(yaml::KeyValueNode &entry, ConfigNode &out, unsigned depth);

  Diagnostics &diagnostics;
};

} // namespace

bool TreeBuilder::buildScalar(yaml::ScalarNode *node, ConfigNode &out) {
  SmallString<64> storage;
  StringRef raw = node->getRawValue();
  out.range = node->getSourceRange();
  out.quoted = raw.starts_with("\"") || raw.starts_with("'");
  out.text = node->getValue(storage).str();
  bool null = !out.quoted && (out.text == "null" || out.text == "~" || out.text.empty());
  out.kind = null ? ConfigNode::Null : ConfigNode::Scalar;
  return true;
}

bool TreeBuilder::buildMember(yaml::KeyValueNode &entry, ConfigNode &out, unsigned depth) {
  auto *key = dyn_cast_or_null<yaml::ScalarNode>(entry.getKey());
  if (!key) {
    diagnostics.error(entry.getSourceRange(), "a key must be a name", "write `key: value`");
    return false;
  }
  SmallString<64> storage;
  ConfigMember member{key->getValue(storage).str(), key->getSourceRange(), {}};
  yaml::Node *value = entry.getValue();
  if (!value)
    return false;
  member.value.range = member.range;
  if (!build(value, member.value, depth))
    return false;
  if (const ConfigMember *first = out.member(member.key)) {
    diagnostics.error(member.range, "'" + member.key + "' is given twice", "");
    diagnostics.noteAt(first->range, "the first one; remove one of them");
    return false;
  }
  out.members.push_back(std::move(member));
  return true;
}

bool TreeBuilder::buildMapping(yaml::MappingNode *node, ConfigNode &out, unsigned depth) {
  out.kind = ConfigNode::Mapping;
  for (yaml::KeyValueNode &entry : *node)
    if (!buildMember(entry, out, depth))
      return false;
  if (!out.range.isValid() && !out.members.empty())
    out.range = out.members.front().range;
  return true;
}

bool TreeBuilder::build(yaml::Node *node, ConfigNode &out, unsigned depth) {
  if (depth > maxDepth) {
    diagnostics.error(node->getSourceRange(), "more than " + Twine(maxDepth) + " levels of nesting", "");
    return false;
  }
  if (auto *scalar = dyn_cast<yaml::ScalarNode>(node))
    return buildScalar(scalar, out);
  if (auto *mapping = dyn_cast<yaml::MappingNode>(node))
    return buildMapping(mapping, out, depth + 1);
  if (auto *sequence = dyn_cast<yaml::SequenceNode>(node)) {
    out.kind = ConfigNode::Sequence;
    for (yaml::Node &item : *sequence) {
      out.items.emplace_back();
      if (!build(&item, out.items.back(), depth + 1))
        return false;
      if (!out.items.back().range.isValid())
        out.items.back().range = out.range;
    }
    return true;
  }
  if (auto *block = dyn_cast<yaml::BlockScalarNode>(node)) {
    out.kind = ConfigNode::Scalar;
    out.quoted = true;
    out.range = node->getSourceRange();
    out.text = block->getValue().str();
    return true;
  }
  if (isa<yaml::NullNode>(node))
    return true;
  diagnostics.error(out.range.isValid() ? out.range : node->getSourceRange(), "aliases are not read",
                    "write the value out");
  return false;
}

// The offset behind the last bracket that keeps the nesting within maxDepth; npos: all of them do.
static size_t findTooDeep(StringRef text) {
  unsigned depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (inString && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      inString = !inString;
    else if (!inString && (text[i] == '{' || text[i] == '['))
      ++depth;
    else if (!inString && (text[i] == '}' || text[i] == ']'))
      --depth;
    if (depth > maxDepth)
      return i;
  }
  return StringRef::npos;
}

// llvm::yaml takes JSON with missing commas and other slips for YAML; a .json file must be JSON.
static bool checkJson(StringRef text, Diagnostics &diagnostics) {
  auto rangeAt = [&](size_t offset) {
    SMLoc location = SMLoc::getFromPointer(text.data() + std::min(offset, text.rtrim().size()));
    return SMRange(location, location);
  };
  size_t tooDeep = findTooDeep(text);
  if (tooDeep != StringRef::npos) {
    diagnostics.error(rangeAt(tooDeep), "more than " + Twine(maxDepth) + " levels of nesting", "");
    return false;
  }
  Expected<json::Value> value = json::parse(text);
  if (value)
    return true;
  // The message is "[line:column, byte=offset]: what".
  std::string message = toString(value.takeError());
  auto [place, what] = StringRef(message).split("]: ");
  size_t offset = 0;
  if (place.split("byte=").second.getAsInteger(10, offset) || what.empty())
    what = message;
  // The parser has consumed the character it stumbled over, unless the text ended.
  if (offset > 0 && offset < text.size() && !isSpace(text[offset - 1]))
    --offset;
  std::string reason = what.empty() ? "" : std::string(1, toLower(what[0])) + what.drop_front().str();
  diagnostics.error(rangeAt(offset), "not valid JSON: " + reason,
                    "files called .json are read as strict JSON");
  return false;
}

std::optional<ConfigNode> readConfigTree(StringRef path, Diagnostics &diagnostics) {
  auto file = MemoryBuffer::getFile(path, /*IsText=*/true);
  if (std::error_code problem = file.getError()) {
    diagnostics.error(path, "cannot read: " + problem.message(), "");
    return std::nullopt;
  }
  return readConfigTree(std::move(*file), path.ends_with(".json"), diagnostics);
}

std::optional<ConfigNode> readConfigTree(std::unique_ptr<MemoryBuffer> text, bool isJson,
                                         Diagnostics &diagnostics) {
  SourceMgr &sources = diagnostics.sourceMgr();
  unsigned id = sources.AddNewSourceBuffer(std::move(text), SMLoc());
  MemoryBufferRef buffer = sources.getMemoryBuffer(id)->getMemBufferRef();
  StringRef path = buffer.getBufferIdentifier();
  if (isJson && !checkJson(buffer.getBuffer(), diagnostics))
    return std::nullopt;

  yaml::Stream stream(buffer, sources);
  ConfigNode root;
  auto document = stream.begin();
  yaml::Node *node = document == stream.end() ? nullptr : document->getRoot();
  if (!node || !TreeBuilder(diagnostics).build(node, root, 0) || stream.failed())
    return std::nullopt;
  if (root.kind != ConfigNode::Mapping) {
    diagnostics.error(path, "expected a mapping, found " + root.describe(),
                      "write a list of kernels (see `lutc schema`), or give a Hugging Face config.json");
    return std::nullopt;
  }
  if (++document != stream.end()) {
    diagnostics.error(path, "more than one document", "write one document per file");
    return std::nullopt;
  }
  return root;
}

} // namespace lut

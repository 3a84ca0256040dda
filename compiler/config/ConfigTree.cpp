#include "compiler/config/ConfigTree.h"

#include "compiler/checkpoint/FileKind.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/YAMLParser.h"
#include <cmath>

using namespace llvm;

namespace lut {

// Deeper documents are not ours, and the parsers recurse.
static constexpr unsigned maxDepth = 64;

// What Python writes into JSON for numbers that are not finite. They make sense nowhere, but are no strings.
static constexpr StringLiteral nonFinite[] = {"NaN", "Infinity", "-Infinity"};

bool ConfigNode::isString() const {
  return kind == Scalar && (quoted || (!number() && !boolean() && !is_contained(nonFinite, text)));
}

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
  if (!numeric || StringRef(text).getAsDouble(value) || !std::isfinite(value))
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
  bool buildMember(yaml::KeyValueNode &entry, ConfigNode &out, StringMap<SMRange> &keys, unsigned depth);

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

bool TreeBuilder::buildMember(yaml::KeyValueNode &entry, ConfigNode &out, StringMap<SMRange> &keys,
                              unsigned depth) {
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
  auto [first, isNew] = keys.try_emplace(member.key, member.range);
  if (!isNew) {
    diagnostics.error(member.range, "'" + member.key + "' is given twice", "");
    diagnostics.noteAt(first->second, "the first one; remove one of them");
    return false;
  }
  out.members.push_back(std::move(member));
  return true;
}

bool TreeBuilder::buildMapping(yaml::MappingNode *node, ConfigNode &out, unsigned depth) {
  out.kind = ConfigNode::Mapping;
  StringMap<SMRange> keys;
  for (yaml::KeyValueNode &entry : *node)
    if (!buildMember(entry, out, keys, depth))
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

// The text with numbers that are not finite replaced by others of the same length, which strict JSON has.
static std::string withFiniteNumbers(StringRef text) {
  std::string out = text.str();
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (inString && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      inString = !inString;
    } else if (!inString) {
      for (StringRef number : nonFinite)
        if (text.substr(i).starts_with(number))
          std::fill_n(out.begin() + i + (number[0] == '-'), number.size() - (number[0] == '-'), '1');
    }
  }
  return out;
}

// What cannot be shown with an error is no text of ours.
static bool checkText(StringRef text, StringRef path, Diagnostics &diagnostics) {
  size_t at = 0;
  bool isUtf8 = json::isUTF8(text, &at);
  if (isUtf8)
    at = find_if(text, isControl) - text.begin();
  if (isUtf8 && at == text.size())
    return true;
  diagnostics.error(path,
                    (isUtf8 ? "holds a control character at byte " : "is not UTF-8 at byte ") + Twine(at),
                    "write text in UTF-8");
  return false;
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
  Expected<json::Value> value = json::parse(withFiniteNumbers(text));
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
  FileKind kind = fileKindOf((*file)->getBuffer());
  if (!isText(kind) && kind != FileKind::Empty) {
    diagnostics.error(path, unexpectedFile(path, kind, WantedFile::Text));
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
  if (!checkText(buffer.getBuffer(), path, diagnostics))
    return std::nullopt;
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

// The JSON schema of the kernel list, from the table the reader checks files against.
#include "compiler/config/ConfigKeys.h"
#include "dialects/lut/Format.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/JSON.h"

using namespace llvm;

namespace lut {

static std::string formatPattern() {
  std::string pattern;
  for (const FormatRow &row : formatRows())
    pattern += (pattern.empty() ? "" : "|") + formatPattern(row);
  return "^(" + pattern + ")$";
}

static json::Object identifierSchema() {
  return json::Object{{"type", "string"}, {"pattern", "^[A-Za-z_][A-Za-z0-9_]*$"}};
}

static json::Object keySchema(const ConfigKey &key, ArrayRef<std::string> variants);

static json::Object mappingSchema(ArrayRef<ConfigKey> keys, ArrayRef<std::string> variants) {
  json::Object properties;
  json::Array required;
  for (const ConfigKey &key : keys) {
    properties[key.name] = keySchema(key, variants);
    if (key.required)
      required.push_back(key.name);
  }
  json::Object schema{
      {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty())
    schema["required"] = std::move(required);
  return schema;
}

static json::Object listSchema(json::Object item) {
  return json::Object{{"type", "array"}, {"items", std::move(item)}, {"minItems", 1}};
}

static json::Object valueSchema(const ConfigKey &key, ArrayRef<std::string> variants) {
  switch (key.kind) {
  case KeyKind::Identifier:
    return identifierSchema();
  case KeyKind::Dimension:
    return json::Object{{"type", "integer"}, {"minimum", 1}, {"maximum", maxDimension}};
  case KeyKind::Fraction:
    return json::Object{{"type", "number"}, {"exclusiveMinimum", 0}, {"maximum", 1}};
  case KeyKind::Positive:
    return json::Object{{"type", "number"}, {"exclusiveMinimum", 0}};
  case KeyKind::Count:
    return json::Object{{"type", "integer"}, {"minimum", 0}, {"maximum", maxDimension}};
  case KeyKind::Text:
    return json::Object{{"type", "string"}};
  case KeyKind::Format:
    return json::Object{{"type", "string"}, {"pattern", formatPattern()}};
  case KeyKind::Choice:
    return json::Object{{"enum", json::Array(key.choices)}};
  case KeyKind::Identifiers:
    return listSchema(variants.empty() ? identifierSchema() : json::Object{{"enum", json::Array(variants)}});
  case KeyKind::Names:
    return listSchema(identifierSchema());
  case KeyKind::Modules: {
    json::Object pattern{{"type", "string"}, {"minLength", 1}}, patterns = listSchema(pattern);
    return json::Object{{"anyOf", json::Array{std::move(pattern), std::move(patterns)}}};
  }
  case KeyKind::Mapping:
    return mappingSchema(key.members, variants);
  case KeyKind::Mappings:
    return listSchema(mappingSchema(key.members, variants));
  }
  return {};
}

static json::Object keySchema(const ConfigKey &key, ArrayRef<std::string> variants) {
  json::Object schema = valueSchema(key, variants);
  schema["description"] = key.help;
  return schema;
}

void printSchema(ArrayRef<std::string> variants, raw_ostream &out) {
  json::Object schema = mappingSchema(kernelListKeys(), variants);
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "lutc kernel list";
  out << formatv("{0:2}", json::Value(std::move(schema))) << "\n";
}

} // namespace lut

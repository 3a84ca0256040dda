#include "compiler/config/ModuleGlob.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace lut {

static bool isNameCharacter(char c) { return isAlnum(c) || StringRef("._-/:").contains(c); }

Expected<ModuleGlob> ModuleGlob::parse(StringRef text) {
  auto error = [&](const Twine &message) {
    return createStringError("'" + text + "' " + message +
                             "; write one such as model.layers.*.self_attn.q_proj");
  };
  if (text.empty())
    return error("is no pattern of modules' names");
  std::string expression = "^";
  for (StringRef rest = text; !rest.empty();) {
    if (rest.consume_front("**"))
      expression += ".*";
    else if (rest.consume_front("*"))
      expression += "[^.]*";
    else if (rest.consume_front("{layer}") || rest.consume_front("{expert}"))
      expression += "[0-9]+";
    else if (isNameCharacter(rest.front())) {
      expression += llvm::Regex::escape(rest.take_front());
      rest = rest.drop_front();
    } else {
      return error("is no pattern of modules' names: only *, **, {layer} and {expert} stand for others");
    }
  }
  return ModuleGlob(expression + "$");
}

} // namespace lut

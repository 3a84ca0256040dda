# The lit suites: text in, text out of lutc, lut-opt and what is installed.
import os

import lit.formats

config.name = "lutc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["checkpoint", "end_to_end", "reference", "runtime"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.build, "test")

tools = [os.path.join(config.build, "bin"), config.llvm_tools]
config.environment["PATH"] = os.pathsep.join(tools + [config.environment["PATH"]])

for name in ["cc", "cxx", "cmake", "make", "build", "installed", "source"]:
    config.substitutions.append(("%{" + name + "}", getattr(config, name)))
config.substitutions.append(("%python", config.python))
config.substitutions.append(("%make_checkpoint", os.path.join(config.source, "test/checkpoint/make_checkpoint.py")))
config.substitutions.append(("%alter_checkpoint", os.path.join(config.source, "test/checkpoint/alter_checkpoint.py")))

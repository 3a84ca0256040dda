"""Kernel libraries in Bazel.

    load("@lutc//share/lutc:lutc.bzl", "lutc_library")
    lutc_library(name = "bitnet", config = "config.json", variants = ["avx2", "x86_64"])

`lutc` is the label of the installed compiler.
"""

def lutc_library(name, config, variants = [], cpu = None, options = [], lutc = "@lutc//:bin/lutc", visibility = None):
    """A cc_library of the kernels that lutc compiles from config: lib<name>.a and <name>.h."""
    flags = ["--name=" + name] + options
    if variants:
        flags.append("--variants=" + ",".join(variants))
    if cpu:
        flags.append("--cpu=" + cpu)
    archive = "lib%s.a" % name
    header = name + ".h"
    native.genrule(
        name = name + "_lutc",
        srcs = [config],
        outs = [archive, header, name + ".json", name + ".d"],
        cmd = "$(execpath %s) compile $(execpath %s) -o $(RULEDIR) %s" % (lutc, config, " ".join(flags)),
        tools = [lutc],
    )
    native.cc_import(
        name = name + "_archive",
        static_library = archive,
    )
    native.cc_library(
        name = name,
        hdrs = [header],
        includes = ["."],
        visibility = visibility,
        deps = [name + "_archive"],
    )

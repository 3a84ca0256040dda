"""Runs lutc.bzl without Bazel: bazel.py <lutc.bzl> <config> <lutc> <directory>. Starlark's functions are Python's here."""
import os
import re
import subprocess
import sys
from types import SimpleNamespace


def main(macro, config, lutc, directory):
    def genrule(name, srcs, outs, cmd, tools):
        command = re.sub(r"\$\(execpath (\S+)\)", r"\1", cmd).replace("$(RULEDIR)", directory)
        assert srcs == [config] and tools == [lutc]
        subprocess.run(command, shell=True, check=True)
        assert sorted(outs) == sorted(os.listdir(directory))
        print(f"genrule {name}\nmade", *sorted(outs))

    def cc_import(name, static_library):
        print(f"cc_import {name}: {static_library}")

    def cc_library(name, hdrs, includes, visibility, deps):
        print(f"cc_library {name}:", *hdrs)

    scope = {"native": SimpleNamespace(genrule=genrule, cc_import=cc_import, cc_library=cc_library)}
    exec(open(macro, encoding="utf-8").read(), scope)
    scope["lutc_library"]("mixed", config, variants=["avx2", "x86_64"], options=["-v"], lutc=lutc)


main(*sys.argv[1:])

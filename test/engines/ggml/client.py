"""node-llama-cpp itself, from npm, goes on with a text: the same one with the plug-in, which says what it took: client.py <plug-in> <work>"""
import os
import pathlib
import shutil
import subprocess
import sys

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parents[2] / "examples/llama_cpp"))
import alphabet

VERSION = "3.22.1"
PROMPT = "abcdefg"
TEXT = "hijklmnopqrstuvwxyzabcdefghijklmnopqrstu"


def install(work):
    """Without its scripts, which would fetch or build llama.cpp, and with the package that has it built."""
    if (work / "node_modules/node-llama-cpp/package.json").exists():
        return True
    work.mkdir(parents=True, exist_ok=True)
    options = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error"]
    packages = [f"{name}@{VERSION}" for name in ("node-llama-cpp", "@node-llama-cpp/linux-x64")]
    return subprocess.run(["npm", "install", "--prefix", work, *options, *packages]).returncode == 0


def go_on(work, model, **variables):
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("GGML_", "LUTC_"))}
    done = subprocess.run(["node", here / "client.mjs", work, model, PROMPT], env={**environment, **variables}, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"FAILED: node-llama-cpp, {variables}: {done.returncode} {done.stderr[-2000:]}")
    return done.stdout.strip(), "lutc: multiplies 57 q4_0 tensors" in done.stderr


def main():
    plugin, work = sys.argv[1], pathlib.Path(sys.argv[2])
    if not shutil.which("node") or not shutil.which("npm") or not install(work):
        print("not run: node-llama-cpp, which could not be installed")
        return 77
    model = work / "alphabet.gguf"
    alphabet.write(model, work / "node_modules/@node-llama-cpp/linux-x64/bins/linux-x64")
    stock, ours = go_on(work, model), go_on(work, model, GGML_BACKEND_PATH=plugin)
    model.unlink()
    if (stock, ours) != ((TEXT, False), (TEXT, True)):
        sys.exit(f"FAILED: stock {stock}, with the plug-in {ours}")
    print(f"node-llama-cpp {VERSION}, both: {TEXT}")
    return 0


sys.exit(main())

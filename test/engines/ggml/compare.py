"""Runs small models of every type in llama.cpp, with and without the plug-in: compare.py <run_llama> <plug-in> <engine directory> <work>

A run's distance is the NMSE of its logits from those of the same values in F32. With the plug-in it is at most that of
stock runs (their larger one, with and without repacking) times SLACK; text is the same wherever stock runs agree on it;
bits are the same for all thread counts, with and without mmap.
"""
import array
import os
import pathlib
import subprocess
import sys

SLACK = 2.0
TYPES = ["q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq4_nl", "tq1_0", "tq2_0", "mxfp4", "nvfp4",
         "q1_0", "q2_0"]
MODELS = [("llama", kind, ()) for kind in TYPES]
MODELS += [("qwen3", "q4_0", ()), ("llama", "q6_k", ("tied",)), ("qwen3moe", "q4_0", ()), ("qwen3moe", "q4_k", ()), ("qwen3moe", "mxfp4", ())]

run_llama, plugin, engine, work = sys.argv[1:]
work = pathlib.Path(work)
base = sorted(pathlib.Path(engine).glob("libggml-base.so*"))[0]
problems = []


def expect(holds, what):
    if not holds:
        problems.append(what)
        print("FAILED:", what)


def run(model, *options, **variables):
    """Logits, text, and what the plug-in says."""
    environment = {**os.environ, "LD_LIBRARY_PATH": engine, **variables}
    logits = work / "logits"
    done = subprocess.run([run_llama, engine, model, logits, *options], env=environment, capture_output=True, text=True)
    if done.returncode:
        expect(False, f"{model.name} {options} {variables}: {done.returncode} {done.stderr[-2000:]}")
        return array.array("f"), "", done.stderr
    return array.array("f", logits.read_bytes()), done.stdout, done.stderr


def with_plugin(model, *options, **variables):
    return run(model, *options, GGML_BACKEND_PATH=plugin, **variables)


def distance(logits, exact):
    if len(logits) != len(exact):
        return float("inf")
    return sum((a - b) ** 2 for a, b in zip(logits, exact)) / sum(b * b for b in exact)


def draw(architecture, kind, options):
    path = work / f"{'-'.join((architecture, kind) + options)}.gguf"
    here = pathlib.Path(__file__).parent
    done = subprocess.run([sys.executable, here / "draw_model.py", base, path, architecture, kind, *options], capture_output=True, text=True,
                          env={**os.environ, "LD_LIBRARY_PATH": engine})
    if "ggml has no type" in done.stderr:
        return None
    expect(done.returncode == 0, done.stderr)
    return path


def compare(architecture, kind, options):
    name = " ".join((architecture, kind) + options)
    model = draw(architecture, kind, options)
    if model is None:
        print(f"not run: {name}, which this llama.cpp does not have")
        return
    floats = draw(architecture, kind, options + ("float",))
    exact, text, _ = run(floats)
    # Its own position's text may differ: only the prompt's logits are of the same tokens.
    words = len(exact) // 13
    stock, plain = run(model), run(model, "extra=0")
    ours = with_plugin(model)
    expect("lutc: multiplies" in ours[2] and "variant" in ours[2], f"{name}: it says what it took: {ours[2]}")
    far = [distance(it[0][:words], exact[:words]) for it in (stock, plain, ours)]
    apart = distance(ours[0][:words], stock[0][:words])
    print(f"{name:24} stock {far[0]:.2e} {far[1]:.2e}  lutc {far[2]:.2e}  lutc from stock {apart:.2e}")
    expect(far[2] <= SLACK * max(far[:2]) + 1e-9, f"{name}: {far}")
    if stock[1] == plain[1] == text:
        expect(ours[1] == stock[1], f"{name}: text")
    for option in ("threads=2", "threads=3", "mmap=0", "times=2"):
        expect(with_plugin(model, option)[0] == ours[0], f"{name}: bits with {option}")
    several = with_plugin(model, "sequences=3", "threads=2")
    expect(distance(several[0], ours[0]) < 1e-9 or several[1] != ours[1], f"{name}: sequences")
    if kind in ("q4_0", "q1_0"):
        for variant in ("x86_64", "avx2", "avx512bw"):
            other = with_plugin(model, LUTC_VARIANT=variant)
            expect(f"variant {variant}" in other[2] and other[0] == ours[0], f"{name}: variant {variant}: {other[2]}")
    for path in (model, floats):
        path.unlink()


work.mkdir(parents=True, exist_ok=True)
for it in MODELS:
    compare(*it)
    sys.stdout.flush()
sys.exit(1 if problems else 0)

"""Runs small models of every type in llama.cpp, with and without the plug-in:
compare.py <run_llama> <plug-in> <no_memory> <lutc> <engine directory> <work>

A run's distance is the NMSE of its logits from those of the same values in F32. With the plug-in it is at most that of
stock runs (their larger one, with and without repacking) times SLACK; text is the same up to a token that stock is not
sure of; bits are the same for all thread counts and variants, with and without mmap, whatever is loaded how often, and
for weights that are mapped from a packed file.
"""
import array
import concurrent.futures
import os
import pathlib
import shutil
import struct
import subprocess
import sys

SLACK = 3.0  # Q1_0 has one scale of activations for 128 of k, in ggml for 32
STEPS = 13  # of logits in a run
TYPES = ["q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq4_nl", "iq4_xs", "iq3_s", "iq3_xxs", "iq2_s", "iq2_xs", "iq2_xxs", "iq1_m", "iq1_s", "tq1_0", "tq2_0", "mxfp4", "nvfp4",
         "q1_0", "q2_0"]
MODELS = [("llama", kind, ()) for kind in TYPES]
MODELS += [("llama", "tq1_0", ("shared",)), ("llama", "tq2_0", ("rows",)), ("qwen3moe", "tq2_0", ("shared",))]
MODELS += [("qwen3", "q4_0", ()), ("llama", "q6_k", ("tied",)), ("qwen3moe", "q4_0", ()), ("qwen3moe", "q4_k", ()), ("qwen3moe", "mxfp4", ()),
           ("qwen3moe", "q5_k", ("alone",))]

run_llama, plugin, no_memory, lutc, engine, work = sys.argv[1:]
if not os.path.isdir(engine):
    print("not run: llama.cpp could not be installed")
    sys.exit(77)
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
    """A model, and its values in F32; None: this llama.cpp does not have the type."""
    name = "-".join((architecture, kind) + options)
    path, floats = work / f"{name}.gguf", work / f"{name}-float.gguf"
    here = pathlib.Path(__file__).parent
    done = subprocess.run([sys.executable, here / "draw_model.py", base, path, architecture, kind, *options, f"float={floats}"],
                          capture_output=True, text=True, env={**os.environ, "LD_LIBRARY_PATH": engine})
    if "ggml has no type" in done.stderr:
        return None
    expect(done.returncode == 0, done.stderr)
    return path, floats


def pack(model, packed, *options):
    done = subprocess.run([lutc, "pack", model, "-o", packed, *options], capture_output=True, text=True)
    expect(done.returncode == 0, f"{model.name} {options}: {done.stderr}")
    return packed


def sure_until(logits, error):
    """The first step whose two likeliest tokens are closer than an error that logits may have."""
    words = len(logits) // STEPS
    for step in range(STEPS):
        second, first = sorted(logits[step * words:(step + 1) * words])[-2:]
        if first - second < error:
            return step
    return STEPS


def check_text(name, stock, ours, error):
    steps = sure_until(stock[0], error)
    expect(stock[1].split()[:steps] == ours[1].split()[:steps], f"{name}: text")


# A machine with fewer free cores than threads waits at every operation of a step.
FEW = "steps=2"


def same_begin(logits, all_logits):
    return len(logits) > 0 and logits == all_logits[:len(logits)]


def check_bits(name, model, ours):
    expect(same_begin(with_plugin(model, FEW, "threads=3")[0], ours[0]), f"{name}: bits with three threads")
    for option in ("mmap=0", "times=2", "again=1"):
        expect(with_plugin(model, option)[0] == ours[0], f"{name}: bits with {option}")
    expect(with_plugin(model, FEW, "sequences=3", "threads=2")[0] == with_plugin(model, FEW, "sequences=3")[0], f"{name}: bits of sequences")
    for variant in ("x86_64", "avx2", "avx512bw", "avx512vbmi"):
        other = with_plugin(model, LUTC_VARIANT=variant)
        if "this CPU lacks" in other[2]:
            print(f"not run: {name}, {variant}")
        else:
            expect(f"variant {variant}" in other[2] and other[0] == ours[0], f"{name}: variant {variant}: {other[2]}")


def check_memory(name, model, stock):
    """Every nth allocation of the plug-in fails: what it cannot pack, ggml multiplies."""
    for every in (1, 2, 3, 5):
        logits, _, _ = with_plugin(model, "steps=0", "threads=2", LD_PRELOAD=no_memory, FAIL_EVERY=str(every))
        expect(distance(logits, stock[0][:len(logits)]) < 1e-2, f"{name}: allocation {every} fails")


def is_mapped(said):
    return " mapped of " in said and "packed" not in said


def check_mapped(name, model, ours):
    """The packed file beside the model."""
    packed = pack(model, model.with_suffix(".lutc"))
    mapped = with_plugin(model, "packed=1")
    expect(is_mapped(mapped[2]) and mapped[0] == ours[0], f"{name}: mapped: {mapped[2]}")
    packed.unlink()


def check_places(name, model, ours):
    packed, elsewhere = pack(model, model.with_suffix(".lutc")), work / "elsewhere"
    for options in (("mmap=0",), ("times=2",), (FEW, "threads=2")):
        mapped = with_plugin(model, "packed=1", *options)
        expect(is_mapped(mapped[2]) and same_begin(mapped[0], ours[0]), f"{name}: mapped with {options}: {mapped[2]}")
    off = with_plugin(model, LUTC_FILE="")
    expect("mapped" not in off[2] and off[0] == ours[0], f"{name}: an empty name: {off[2]}")
    packed.rename(elsewhere / "any.lutc")
    mapped = with_plugin(model, "packed=1", LUTC_FILE=str(elsewhere / "any.lutc"))
    expect(is_mapped(mapped[2]) and mapped[0] == ours[0], f"{name}: mapped by name: {mapped[2]}")
    shutil.copy(model, elsewhere / "blob")
    pack(model, elsewhere / "blob.lutc")
    mapped = with_plugin(elsewhere / "blob", "packed=1")
    expect(is_mapped(mapped[2]) and mapped[0] == ours[0], f"{name}: mapped beside a name without .gguf: {mapped[2]}")


def check_refused(name, model, ours):
    """A file that does not fit, and what is said of it."""
    packed = pack(model, work / "refused.lutc")
    good = packed.read_bytes()

    def refuse(data, reason, opened=0):
        packed.write_bytes(data)
        run = with_plugin(model, f"packed={opened}", LUTC_FILE=str(packed))
        expect(reason in run[2] and run[0] == ours[0], f"{name}: not '{reason}': {run[2]}")

    def changed(at, data):
        return good[:at] + data + good[at + len(data):]

    refuse(good[:-1], "refused.lutc is left out: the file is shorter than its header says")
    refuse(good[:100], "refused.lutc is left out: the file is shorter than its header says")
    refuse(b"", "is left out: it cannot be mapped")
    refuse(model.read_bytes(), "is left out: the packed buffer or file does not start with a lutc header")
    refuse(changed(8, struct.pack("<I", 2)), "is left out: the weights were packed by an incompatible version of lutc")
    refuse(changed(16, b"\1"), "is left out: the packed weights do not match their checksum")
    refuse(changed(200, b"\1"), "is left out: the packed weights do not match their checksum")  # the table
    header = good.index(b"LUTCPACK")
    refuse(changed(header + 8, b"\7"), "does not serve 1 tensors, such as", opened=1)
    missing = with_plugin(model, LUTC_FILE=str(work / "missing.lutc"))
    expect("missing.lutc is left out: No such file" in missing[2] and missing[0] == ours[0], f"{name}: missing: {missing[2]}")

    pack(model, packed, "--variant=x86_64" if "variant x86_64" not in ours[2] else "--variant=avx2")
    refuse(packed.read_bytes(), "packed for a variant with another layout", opened=1)
    data = bytearray(model.read_bytes())
    data[-1000] ^= 1  # a code of the last tensor
    other = work / "other.gguf"
    other.write_bytes(data)
    pack(other, packed)
    refuse(packed.read_bytes(), "does not serve 1 tensors, such as", opened=1)
    refuse(packed.read_bytes(), ": it has other weights", opened=1)
    pack(draw("qwen3", "q4_1", ())[0], packed)
    refuse(packed.read_bytes(), "such as", opened=1)


def compare(architecture, kind, options, drawn):
    name = " ".join((architecture, kind) + options)
    if drawn is None:
        print(f"not run: {name}, which this llama.cpp does not have")
        return
    model, floats = drawn
    exact = run(floats)[0]
    words = len(exact) // STEPS  # later steps may be of other tokens
    stock, plain, ours = run(model), run(model, "extra=0"), with_plugin(model)
    expect("lutc: multiplies" in ours[2] and "variant" in ours[2], f"{name}: it says what it took: {ours[2]}")
    far = [distance(it[0][:words], exact[:words]) for it in (stock, plain, ours)]
    print(f"{name:24} NMSE of stock {far[0]:.2e}, without repacking {far[1]:.2e}, of lutc {far[2]:.2e}")
    expect(far[2] <= SLACK * max(far[:2]), f"{name}: {far}")
    deviation = (sum(value * value for value in exact[:words]) / words) ** 0.5
    check_text(name, stock, ours, 10 * max(far) ** 0.5 * deviation)
    expect(same_begin(with_plugin(model, FEW, "threads=2")[0], ours[0]), f"{name}: bits with two threads")
    check_mapped(name, model, ours)
    if kind == "q4_0" or options and "alone" not in options:
        check_bits(name, model, ours)
    if kind == "q4_k":
        check_memory(name, model, stock)
    if (kind, options) in (("q4_0", ()), ("tq2_0", ("rows",))):
        check_places(name, model, ours)
    if (architecture, kind) == ("llama", "q4_0"):
        check_refused(name, model, ours)
        expect("lutc" not in with_plugin(model, LUTC_QUIET="1")[2], f"{name}: quiet")
        expect(with_plugin(model, LUTC_OFF="1")[0] == stock[0], f"{name}: off")
    for path in (model, floats):
        path.unlink()


shutil.rmtree(work, ignore_errors=True)
(work / "elsewhere").mkdir(parents=True)
with concurrent.futures.ThreadPoolExecutor(1) as pool:  # draws ahead
    for it, drawn in zip(MODELS, pool.map(lambda it: draw(*it), MODELS)):
        compare(*it, drawn)
        sys.stdout.flush()
sys.exit(1 if problems else 0)

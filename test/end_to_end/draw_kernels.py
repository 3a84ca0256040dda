"""Writes the kernel lists of the end-to-end tests: draw_kernels.py formats|others|models|tuned|lmma|open|schedules_<variant> SEED > list.json
With a third argument also a tuning file of that name: schedules that the cost model would not choose.

formats  every weight format in every class, n and k drawn from 1 to 500; class a8 by multiplication and by lookup in turn
others   every weight format in class a8 by the strategy that it does not have in formats
tuned    some formats in every class and strategy, for a CPU whose facts differ from its target's
schedules_<variant>  drawn schedules, over several blocks of k with a shorter last one
lmma     every format with tables in class a8, some in class t8, for a LUT-instruction machine
open     formats without n and k, and some with; the tests make kernels of several shapes
models   shapes of published models whose k is no multiple of 256 or of 128, in the formats their users choose
"""
import json
import random
import re
import sys

GROUPS = ["", "g32", "g64", "g128", "g256"]
FORMATS = [f"w{bits}{group}{zero}" for bits in (1, 2, 3, 4) for group in GROUPS for zero in ("", "z")]
FORMATS += [f"w{bits}{group}{zero}" for bits in (5, 6, 8) for group in ("", "g32") for zero in ("", "z")]
FORMATS += ["w158", "w158r"]
FORMATS += [f"w{bits}g{group}m" for bits in (1, 2, 4, 5) for group in (32, 128)] + ["w4g32e", "w3g64e"]
FORMATS += ["w4g128b", "w2g64zs", "w1g32ms", "w3g64mbp", "w4zs"]
FORMATS += [f"w{bits}g64{zero}p" for bits in (1, 2, 3, 4, 5, 6, 8) for zero in ("", "z")] + ["w2zp", "w4p", "w4g128p", "w2g32mp", "w4g32ep"]
# Without bit planes that index tables.
DOT_FORMATS = ["w4g16", "w2g16z", "w5g16m", "nl4", "nl4g32", "nl4g16e", "fp4", "fp4g16", "fp4g16f", "fp4g32e", "w2k16m", "w3k16", "w4k32m", "w5k32m",
               "w6k16", "w8k32", "w1k32", "nl4k32", "w4g16p", "w4k32mp", "fp4g16s", "nl4g32b", "w5g16ms", "iq2xxs", "iq2xs", "iq2s", "iq3xxs", "iq3s", "iq1s", "iq1m"]
WAYS = [("a8", "dot"), ("a8", "lookup"), ("t8", "lookup")]

# n, k: SmolLM2-135M and 360M, Qwen2.5-0.5B, Gemma-3-1B, Gemma-3-270M, gpt-oss-20b, bitnet_b1_58-3B.
SHAPES = [(192, 576), (576, 1536), (960, 2560), (320, 960), (128, 896), (896, 4864), (256, 1152), (1152, 6912),
          (256, 640), (512, 2880), (2880, 4096), (3200, 3200), (3200, 8640)]
MODEL_FORMATS = ["w158", "w2g128", "w4g128z", "w1g64", "w3g128"]


def drawn(draw, form, way):
    numerics, strategy = way
    return dict(name=f"{form}_{numerics}_{strategy}", n=draw.randint(1, 500), k=draw.randint(1, 500),
                format=form, numerics=numerics, strategy=strategy)


def formats(draw):
    for i, form in enumerate(FORMATS):
        yield drawn(draw, form, WAYS[i // 2 % 2])  # of each width both ways, with zero points and without
        yield drawn(draw, form, WAYS[2])
    for form in DOT_FORMATS:
        yield drawn(draw, form, WAYS[0])


def others(draw):
    for i, form in enumerate(FORMATS):
        yield drawn(draw, form, WAYS[1 - i // 2 % 2])


def lmma(draw):
    for i, form in enumerate(FORMATS):
        for numerics in ["a8", "t8"] if i % 4 == 0 and "158" not in form else ["a8"]:
            yield dict(name=f"{form}_{numerics}", n=draw.randint(1, 500), k=draw.randint(1, 500), format=form, numerics=numerics)


def models(draw):
    for i, (n, k) in enumerate(SHAPES):
        form = MODEL_FORMATS[i % len(MODEL_FORMATS)]
        yield dict(name=f"{form}_{n}x{k}", n=n, k=k, format=form)


def open_shapes(draw):
    for form in ["w158", "w1", "w2zs", "w4zp", "w8", "w1g128", "w2g64zp", "w3g64", "w4g32", "w4g128z", "w5g16m", "w4k32m", "w6k16",
                 "nl4", "fp4g32e", "fp4g16f", "iq2xxs", "iq3s", "iq1s"]:
        yield dict(format=form, numerics="a8")
        n, k = draw.choice([(5, 40), (70, 333), (257, 2048), (33, 4100), (2500, 600)])
        yield dict(name=f"{form}_known", n=n, k=k, format=form, numerics="a8")
    for form in ["w158r", "w2g128", "w4"]:
        for numerics, strategy in WAYS:
            yield dict(name=f"{form}_{numerics}_{strategy}", format=form, numerics=numerics, strategy=strategy)


def tuned(draw):
    for form in ["w1g32", "w2g128", "w3g64z", "w4", "w158"]:
        for way in WAYS:
            yield drawn(draw, form, way)


SCHEDULED_DOTS = ["w4g16", "w4k32m", "w6k16", "fp4g32e"]


def schedules(draw):
    for form in ["w1g32", "w1", "w2g128z", "w3g64", "w4g256", "w4z", "w158", "w2g128m", "w4g64zp", "w4g128s"] + SCHEDULED_DOTS:
        for numerics, strategy in WAYS[:1] if form in SCHEDULED_DOTS else WAYS:
            for i in range(2):
                yield dict(name=f"{form}_{numerics}_{strategy}_{i}", n=draw.randint(1, 500), k=draw.randint(600, 2600),
                           format=form, numerics=numerics, strategy=strategy)


def draw_schedule(kernel, variant, draw):
    """A schedule within the limits of the cost model's grid (passes/plan/CostModel.cpp)."""
    bits = 2 if kernel["format"] == "w158" else int(re.search("[0-9]", kernel["format"])[0])
    wide, trits, lookup = variant == "avx512vbmi", kernel["format"] == "w158", kernel["strategy"] == "lookup"
    digits = 2 if kernel["numerics"] == "a8" else 1
    planes = 1 if trits else bits
    # Two digits of four bits have no multiplier that fits a byte.
    layout = ("dot" if not lookup else "base3" if trits else
              "quad" if wide and not (digits == 2 and bits == 4) else "column")
    bytes_of_rows = layout in ("column", "base3")

    def fits(rows, tokens):
        if bytes_of_rows:
            registers = 32 if wide else 16
            return rows <= 2 and tokens <= (2 if trits else 4 // digits) and planes * digits * rows * tokens <= max(registers // 2, planes * digits)
        if layout == "dot" and bits in (3, 5, 6):
            return rows <= 2 and 8 * rows * tokens <= (32 if wide else 16)
        return rows * tokens <= (16 if wide else 4)

    while True:
        rows, tokens, batch = draw.choice([1, 2, 4]), draw.choice([1, 2, 4]), draw.choice([1, 2, 4])
        if batch <= rows and fits(rows, 1) and fits(batch, tokens) and (tokens > 1 or batch == rows):
            break
    block = draw.choice([140, 280]) if layout == "base3" else draw.choice([0, 512, 512])
    fields = dict(strategy=kernel["strategy"], layout=layout, row_vectors=rows, tokens=tokens,
                  token_block=draw.choice([8, 32]), k_block=block if block < kernel["k"] else 0)
    if bytes_of_rows:
        fields.update(run=1 if digits == 1 else 7 if trits else 4, widen=256)
    if fields["k_block"] and draw.random() < 0.5:
        fields["rows_inner"] = "true"
    if batch != rows:
        fields["batch_row_vectors"] = batch
    unpacked = rows * (16 if layout == "dot" else 64) * (1 if wide else 0.5) * (fields["k_block"] or 4096)
    if digits == 2 and layout in ("dot", "base3") and "rows_inner" not in fields and unpacked <= 65536 and draw.random() < 0.6:
        fields.update(token_block=128, unpack_tokens=draw.choice([1, 2, 3, 9]))
    return "#lut.schedule<" + ", ".join(f"{key} = {value}" for key, value in fields.items()) + ">"


def tuning(kernels, variant, draw):
    return dict(lutc_tuning=1, cpu="any", variant=variant, kernels=[
        dict(product="{numerics}_{format}_{n}x{k}_{strategy}".format(**kernel), alone_us=1, batch_us=1,
             schedule=draw_schedule(kernel, variant, draw)) for kernel in kernels])


name, seed = sys.argv[1], int(sys.argv[2])
kind, _, variant = name.partition("_")
draw = random.Random(seed)
kernels = list(dict(formats=formats, others=others, models=models, open=open_shapes, lmma=lmma, tuned=tuned, schedules=schedules)[kind](draw))
json.dump(dict(library=name, kernels=kernels), sys.stdout, indent=1)
if len(sys.argv) > 3:
    with open(sys.argv[3], "w") as file:
        json.dump(tuning(kernels, variant, draw), file, indent=1)

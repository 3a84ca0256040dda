"""Writes the kernel lists of the end-to-end tests: draw_kernels.py formats|models|tuned SEED > list.json

formats  every weight format in every class and strategy, n and k drawn from 1 to 500
tuned    some formats in every class and strategy, for a CPU whose facts differ from its target's
models   shapes of published models whose k is no multiple of 256 or of 128, in the formats their users choose
"""
import json
import random
import sys

GROUPS = ["", "g32", "g64", "g128", "g256"]
FORMATS = [f"w{bits}{group}{zero}" for bits in (1, 2, 3, 4) for group in GROUPS for zero in ("", "z")]
FORMATS += ["w158", "w158r"]
WAYS = [("a8", "dot"), ("a8", "lookup"), ("t8", "lookup")]

# n, k: SmolLM2-135M and 360M, Qwen2.5-0.5B, Gemma-3-1B, Gemma-3-270M, gpt-oss-20b, bitnet_b1_58-3B.
SHAPES = [(192, 576), (576, 1536), (960, 2560), (320, 960), (128, 896), (896, 4864), (256, 1152), (1152, 6912),
          (256, 640), (512, 2880), (2880, 4096), (3200, 3200), (3200, 8640)]
MODEL_FORMATS = ["w158", "w2g128", "w4g128z", "w1g64", "w3g128"]


def formats(draw):
    for form in FORMATS:
        for numerics, strategy in WAYS:
            yield dict(name=f"{form}_{numerics}_{strategy}", n=draw.randint(1, 500), k=draw.randint(1, 500),
                       format=form, numerics=numerics, strategy=strategy)


def models(draw):
    for i, (n, k) in enumerate(SHAPES):
        form = MODEL_FORMATS[i % len(MODEL_FORMATS)]
        yield dict(name=f"{form}_{n}x{k}", n=n, k=k, format=form)


def tuned(draw):
    for form in ["w1g32", "w2g128", "w3g64z", "w4", "w158"]:
        for numerics, strategy in WAYS:
            yield dict(name=f"{form}_{numerics}_{strategy}", n=draw.randint(1, 500), k=draw.randint(1, 500),
                       format=form, numerics=numerics, strategy=strategy)


name, seed = sys.argv[1], int(sys.argv[2])
kernels = list(dict(formats=formats, models=models, tuned=tuned)[name](random.Random(seed)))
json.dump(dict(library=name, kernels=kernels), sys.stdout, indent=1)

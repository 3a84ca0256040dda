"""draw_groups.py <library> <seed> <source> [a8]: a kernel list with groups, and a C++ source that tells the test their
steps. a8: class a8 by lookup alone, what a LUT-instruction machine has."""
import json
import random
import sys

library, seed, source = sys.argv[1], int(sys.argv[2]), sys.argv[3]
draw = random.Random(seed)
CLASSES = sys.argv[4:] or ["a8", "t8"]
kernels, groups = [], []
FORMATS = ["w1", "w1g32", "w1g128", "w2g64", "w2g128z", "w3g128", "w3g64z", "w4g32", "w4g128", "w4z", "w158", "w158r"]
PERMUTED = ["w1g32p", "w2g64zp", "w3p", "w4g128p", "w4g32zp"] # not of experts


def size():
    return draw.choice([draw.randint(1, 300), draw.randint(1, 300), draw.randint(700, 1300)])


def kernel(group, name, n, k, form=None, numerics=None):
    spec = dict(name=f"{group}_{name}", n=n, k=k, format=form or draw.choice(FORMATS + PERMUTED),
                numerics=numerics or draw.choice(CLASSES))
    if spec["numerics"] == "a8" and draw.random() < 0.3:
        spec["strategy"] = draw.choice(["dot", "lookup"] if "t8" in CLASSES else ["lookup"])
    kernels.append(spec)
    return spec["name"]


def group(name, *steps, experts=None):
    groups.append(dict(name=name, **(dict(experts=experts) if experts else {}), steps=[step for step in steps if step]))


def norm(kind="rms"):
    return dict(norm=kind, epsilon=draw.choice([1e-5, 1e-6]))


def maybe(step):
    return step if draw.random() < 0.5 else None


for i in range(3):
    # norm -> q, k, v + bias; formats and classes alike, so that one preparation serves all.
    g, k, form, numerics = f"attention{i}", size(), draw.choice(FORMATS + PERMUTED), draw.choice(CLASSES)
    group(g, norm(), dict(products=[kernel(g, p, size() // 3 + 1, k, form, numerics) for p in "qkv"]),
          maybe(dict(add="bias")))
    # Bit planes of several widths that share their tables, or do not.
    g, k = f"widths{i}", size()
    group(g, maybe(norm("layer")), dict(products=[kernel(g, f"w{b}", size() // 3 + 1, k, f"w{b}g64", CLASSES[-1])
                                                  for b in (1, 2, 3, 4)]))
    # Any kernels at all.
    g, k = f"mixed{i}", size()
    group(g, dict(add="residual"), dict(scale="elements"), norm(), dict(products=[kernel(g, p, size() // 3 + 1, k) for p in "abc"]),
          dict(scale="elements"), maybe(dict(add="bias")))
    # The whole feed-forward layer.
    g, n, k = f"ffn{i}", size(), size()
    group(g, norm(), dict(products=[kernel(g, "gate", n, k), kernel(g, "up", n, k)]), maybe(dict(add="bias")),
          dict(activate=["silu", "gelu", "relu2"][i]), maybe(norm()), dict(products=[kernel(g, "down", k, n)]),
          maybe(dict(add="bias")), dict(add="residual"))
    g, n, k = f"mlp{i}", size(), size()
    group(g, norm("layer"), dict(products=[kernel(g, "fc1", n, k)]), dict(add="bias"), dict(activate="gelu"),
          norm("layer"), dict(products=[kernel(g, "fc2", k, n)]), dict(add="bias"))
    # Rotations by less than a vector, a vector, many.
    g, block = f"rotated{i}", [4, 16, 128][i]
    n, k = block * draw.randint(1, 300 // block + 1), size()
    group(g, dict(products=[kernel(g, "up", n, k)]), dict(activate="none"), maybe(norm()), dict(rotate=block),
          dict(products=[kernel(g, "down", k, n)]), dict(add="residual"), dict(scale="elements"))
    # Each product in an order of its own, and one in none: of activations in memory, of a norm, of a rotation.
    g, n, k = f"permuted{i}", 16 * draw.randint(1, 20), size()
    group(g, [None, norm(), dict(add="residual")][i], dict(products=[kernel(g, "gate", n, k, PERMUTED[i]), kernel(g, "up", n, k, PERMUTED[i])]),
          dict(activate="silu"), [norm(), dict(rotate=16), None][i],
          dict(products=[kernel(g, "down", k, n, "w4g128p"), kernel(g, "side", size(), n, "w4g128")]), maybe(dict(add="bias")))
    # Experts; more than a token has, as many, and one.
    g, n, k = f"experts{i}", draw.randint(1, 200), draw.randint(1, 300)
    count, top = [(7, 3), (16, 2), (1, 1)][i]
    form, numerics = draw.choice(FORMATS), draw.choice(CLASSES)
    group(g, maybe(norm()), dict(products=[kernel(g, "gate", n, k, form, numerics), kernel(g, "up", n, k, form, numerics)]),
          dict(activate="silu"), dict(products=[kernel(g, "down", k, n, draw.choice(FORMATS))]), maybe(dict(add="residual")),
          experts=dict(count=count, top=top))
    # Products of one activation that are prepared in two ways.
    g = f"one{i}"
    group(g, dict(products=[kernel(g, "w", draw.randint(1, 200), draw.randint(1, 300), draw.choice(FORMATS))]), experts=dict(count=5, top=2))
    # Results of other types.
    g, k = f"converted{i}", size()
    group(g, maybe(norm()), dict(products=[kernel(g, p, size() // 2 + 1, k) for p in "ab"]), dict(scale="tensor"), maybe(dict(add="bias")),
          dict(convert=["f16", "bf16", "i8"][i]))
    # Nothing but a product and what follows it.
    g = f"out{i}"
    group(g, dict(products=[kernel(g, "o", size(), size())]), dict(add="residual"))

json.dump(dict(library=library, kernels=kernels, groups=groups), sys.stdout, indent=1)


def literal(step):
    verb, value = next((verb, step[verb]) for verb in ("norm", "products", "activate", "rotate", "add", "scale", "convert") if verb in step)
    text, count = (value, 0) if isinstance(value, str) else ("", value if isinstance(value, int) else len(value))
    return f'{{"{verb}", "{text}", {count}, {step.get("epsilon", 0)}f}}' if "epsilon" in step else f'{{"{verb}", "{text}", {count}, 0.0f}}'


with open(source, "w") as out:
    out.write('#include "group_steps.h"\n\nconst std::vector<lut::GroupSteps> lut::groupSteps = {\n')
    for g in groups:
        out.write(f'    {{"{g["name"]}", {g.get("experts", {}).get("top", 0)}, {{{", ".join(map(literal, g["steps"]))}}}}},\n')
    out.write("};\n")

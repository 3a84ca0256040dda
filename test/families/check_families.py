"""Draws a small checkpoint of every family, compiles and packs it: check_families.py LUTC README

Every linear layer has to be found with its n and k, and to be packed; the table of README says which groups are made.
"""
import json
import os
import random
import re
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(__file__), "..", "checkpoint"))
import families
import make_checkpoint

LUTC, README = sys.argv[1:]
draw = random.Random(7)


def floats(shape):
    count = make_checkpoint.elements(shape)
    data = bytearray(b"\x3c" * (2 * count))
    data[::2] = draw.randbytes(count)
    return "BF16", shape, bytes(data)


def draw_checkpoint(model, directory):
    os.makedirs(directory, exist_ok=True)
    tensors = {f"{name}.weight": floats(shape) for name, shape in {**model.linear, **model.optional}.items() if name not in model.stacks}
    tensors.update({name: floats(shape) for name, shape in model.plain.items()})
    tensors[model.outside[0] + ".weight"] = floats((families.V, families.H))
    make_checkpoint.write_safetensors(os.path.join(directory, "model.safetensors"), tensors)
    with open(os.path.join(directory, "config.json"), "w", encoding="utf-8") as file:
        json.dump(model.config, file)


def run(*arguments):
    done = subprocess.run([LUTC, *arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"lutc {' '.join(arguments)}: {done.stderr}")
    return done.stdout + done.stderr


def bare(name):
    """Without what multimodal models put in front."""
    return re.sub(r"^(model\.language_model\.|language_model\.model\.|language_model\.|thinker\.model\.|thinker\.|model\.)", "", name)


def modules_of(manifest):
    for entry in manifest["projections"]:
        for layer in range(entry["first_layer"], entry["last_layer"] + 1):
            for expert in range(entry["copies"]):
                name = entry["projection"].replace("{layer}", str(layer)).replace("{expert}", str(expert))
                yield bare(name), (entry["n"], entry["k"]), "kernel" in entry


def check_modules(name, model, manifest):
    expected = {bare(module): (shape, True) for module, shape in model.linear.items()}
    expected.update({bare(module): (shape, False) for module, shape in model.optional.items()})
    expected["lm_head"] = expected.pop(bare(model.outside[2]))
    found = {module: (shape, isCompiled) for module, shape, isCompiled in modules_of(manifest)}
    for module in expected.keys() | found.keys():
        if expected.get(module) != found.get(module):
            sys.exit(f"{name}: {module} is {expected.get(module)}, and lutc says {found.get(module)}")


def check_gguf(model):
    """The same layers, by llama.cpp's names; tensors of other forms keep these."""
    metadata, tensors, linear = families.gguf_of(model)
    path = f"{model.name}.gguf"
    make_checkpoint.write_gguf(path, metadata, tensors)
    run("compile", path, "--weights=w4g32", "--name=small", "-o", f"{path}.out", "--variants=x86_64", "--emit=manifest")
    with open(f"{path}.out/small.json", encoding="utf-8") as file:
        found = {module: shape for module, shape, isCompiled in modules_of(json.load(file)) if isCompiled}
    expected = {bare(module): shape for module, shape in linear.items()}
    for module in expected.keys() | found.keys():
        if expected.get(module) != found.get(module):
            sys.exit(f"{path}: {module} is {expected.get(module)}, and lutc says {found.get(module)}")


def groups_of(plan):
    """Those that are made, and why others are not."""
    sections = dict(re.findall(r"\n(groups|groups that are not made)\n((?: .*\n?)+)", plan))
    made = [line.split()[0] for line in sections.get("groups", "").splitlines()]
    withheld = [line.split(None, 1) for line in sections.get("groups that are not made", "").splitlines()]
    return made, withheld


def row_of(model, plan):
    made, withheld = groups_of(plan)
    reasons = {}
    for group, reason in withheld:
        reasons.setdefault(reason.strip(), []).append(f"`{group}`")
    left = [f"{', '.join(groups)}: {reason}" for reason, groups in reasons.items()] + families.LEFT.get(model.title, [])
    return f"| {model.title} | {', '.join(f'`{name}`' for name in made)} | {'; '.join(left)} |"


def check(number, model):
    directory = f"{number}-{model.name}"
    draw_checkpoint(model, directory)
    weights = "--weights=w4g32"
    plan = run("compile", directory, weights, "--dry-run")
    run("compile", directory, weights, "--name=small", "-o", f"{directory}/out", "--variants=x86_64", "--emit=manifest")
    with open(f"{directory}/out/small.json", encoding="utf-8") as file:
        check_modules(directory, model, json.load(file))
    said = run("pack", directory, "--library", f"{directory}/out/small.json", "-o", f"{directory}/small.lutc")
    if f"BF16 rounded to w4g32: {len(model.linear)} tensors" not in said:
        sys.exit(f"{directory}: {len(model.linear)} linear layers, and lutc pack says {said}")
    return row_of(model, plan)


def main():
    rows = sorted({check(number, model) for number, model in enumerate(families.models())})
    with open(README, encoding="utf-8") as file:
        text = file.read()
    for model in {model.name: model for model in families.models() if model.name in families.ARCHITECTURES}.values():
        check_gguf(model)
    table = [line for line in text.splitlines() if line.startswith("| ")][2:]
    if rows != table:
        sys.exit(f"the table of {README} should be\n" + "\n".join(rows))
    print(f"{len(rows)} families are as the README says")


main()

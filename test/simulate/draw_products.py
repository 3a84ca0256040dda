"""Holds `lutc compile` and `lutc simulate` to one tile and one price, and programs to the counts that are predicted (`--run` fails
where one differs): draw_products.py LUTC SEED, on drawn machines and shapes."""
import json
import random
import subprocess
import sys

FORMATS = ["w1g128", "w158", "w158r", "w2", "w2g64z", "w2g128", "w3g32", "w4g128z", "w4z", "w4g32m", "w8g64s", "w5z", "w6g32e"]
BATCH = 2048  # of the schedule's choice (passes/plan/ArraySchedules.cpp)


def draw_machine(draw):
    base = draw.choice(["a100-lut-1x", "a100-lut-4x", "a100-lut-8x", "a100-trit-4x", "h100-lut-8x"])
    lut = {"arrays": draw.choice([1, 2, 8]), "m": draw.choice([1, 2, 4]), "n": draw.choice([32, 64, 128])}
    return {"base": base, "clock": draw.choice([0.9, 1.41]), "cores": draw.choice([1, 7, 108]), "latency": draw.choice([1, 40, 700]),
            "registers": {"per_thread": draw.choice([96, 160, 255])}, "scratchpad": {"kib": draw.choice([24, 164])},
            "adders": draw.choice([4, 256]), "lut": lut}


def draw_kernels(draw, largest):
    forms = [draw.choice(FORMATS) for _ in range(12)]
    return [{"name": f"k{i}", "n": draw.randint(1, largest), "k": draw.randint(1, largest), "format": form,
             "numerics": "a8" if "158" in form else draw.choice(["a8", "t8"])} for i, form in enumerate(forms)]


def run(*arguments):
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


def check(machine, kernel, tokens, simulated):
    """Tokens and rows of a block, and cycles of a token, of the manifest and of the prediction."""
    one, more = kernel["variants"][0]["regimes"]
    block = more["tokens"] if tokens >= more["tokens"] else machine["lut"]["m"]
    tile = simulated["tile"].split("x")[:2]
    assert tile == [str(block), str(more["rows"])], (kernel["name"], tokens, tile, block, more)
    cycles = simulated["us"] * machine["clock"] * 1e3 / tokens
    for regime, m in ((one, 1), (more, BATCH)):
        assert m != tokens or abs(cycles - regime["predicted_cycles_per_token"]) < 0.51, (kernel["name"], cycles, regime)


def simulate(machine, kernels, tokens, *options):
    json.dump({"library": "drawn", "kernels": kernels}, open("kernels.json", "w"))
    json.dump(machine, open("machine.json", "w"))
    tokens = ",".join(map(str, tokens))
    return json.loads(run(lutc, "simulate", "kernels.json", "--machine=./machine.json", "-m", tokens, "--format=json", *options))["runs"]


lutc, draw = sys.argv[1], random.Random(int(sys.argv[2]))
tiles, barriers = set(), 0
for _ in range(8):
    machine, kernels, middle = draw_machine(draw), draw_kernels(draw, 6000), draw.randint(2, 70)
    runs = simulate(machine, kernels, [1, middle, BATCH])
    run(lutc, "compile", "kernels.json", "--target=lmma:./machine.json", "-o", "out")
    manifest = json.load(open("out/drawn.json"))["kernels"]
    for simulation in runs:
        for kernel, simulated in zip(manifest, simulation["kernels"]):
            check(machine, kernel, simulation["m"], simulated)
            tiles.add(simulated["tile"])
    for simulation in simulate(machine, draw_kernels(draw, 700), [1, middle, 130], "--run"):
        barriers += sum(counted["barriers"] > 0 for counted in simulation["counted"])
print(len(tiles), "tiles,", barriers, "programs with barriers")

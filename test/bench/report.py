"""Makes results.md and results.svg from results.json: report.py results.json

Times are minima over the rounds; ratios are medians over the rounds of peer / lutc in the same round.
"""
import json
import math
import os
import sys

import plot

# Times faster than llama.cpp's fastest kernel of the same type that AVX2 is to be, by m; other numbers of tokens
# at least OTHER_AIM.
AIMS = {
    "w4g32": ("q4_0", {1: 2.6, 8: 2.8, 128: 3.0}),
    "w4k32m": ("q4_K", {1: 2.0, 8: 1.9, 128: 2.4}),
    "w2k16m": ("q2_K", {1: 2.3, 8: 2.8, 128: 3.0}),
    "w3k16": ("q3_K", {1: 2.6, 8: 3.6, 128: 4.5}),
    "fp4g32e": ("mxfp4", {1: 2.4, 8: 2.6, 128: 2.2}),
    "nl4g32": ("iq4_nl", {1: 1.8, 8: 2.2, 128: 2.2}),
    "w158": ("tq2_0", {1: 2.0, 8: 2.1, 128: 3.2}),
    "w1g128": ("q1_0", {}),
}
OTHER_AIM = 1.3


def table(header, rows):
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in [header, ["---"] * len(header), *rows]]
    return "\n".join(lines) + "\n\n"


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def name(result):
    return f"{result['peer']} {result['type']}"


def threads_text(count):
    return "1 thread" if count == 1 else f"{count} threads"


def unique(items):
    return list(dict.fromkeys(items))


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


class Run:
    def __init__(self, data):
        self.data, self.cells = data, data["cells"]
        self.contenders = unique((r["weights"], name(r)) for cell in self.cells for r in cell["results"])
        # lutc first, then its competitors, by kind of weights.
        self.contenders.sort(key=lambda it: (list(plot.LABELS).index(it[0]), not it[1].startswith("lutc")))

    def head(self):
        data = self.data
        huge = data["huge_page_fraction"]
        lines = [f"* `{data['command'].strip()}`", f"* {data['cpu']}, {data['cores']} cores, last-level cache "
                 f"{data['last_level_cache_bytes'] >> 20} MiB, {'huge' if huge > 0.5 else '4 KiB'} pages for all"]
        lines.append(f"* load of the machine before the run: {data['load_average']:.1f}; other work on it blurs the "
                     "times, most of all with 2 threads")
        if data["variant"]:
            lines.append(f"* every contender held to {data['variant']}")
        lines.append("* cold: " + self.cycling())
        lines.append("* hot: every call uses the same copy of the weights, after an untimed run")
        lines.append("* the start of threads and graphs is part of the times, spread over the calls of a run")
        lines.append("* each contender's Y was checked before it was timed: lutc's bit for bit against the oracle, a "
                     "peer's against the double-precision product of its own dequantized weights (NMSE below 3e-4, "
                     "float weights 1e-9)")
        return "# lutc beside other engines\n\n" + "\n".join(lines) + "\n\n"

    def cycling(self):
        least = min((cell["cycled_bytes"] for cell in self.cells), default=0)
        cache = self.data["last_level_cache_bytes"]
        text = f"all contenders in turn read copies of {least >> 20} MiB in all before one is read again"
        return text + ("" if least > cache else ", which is NOT more than the last-level cache")

    def limits(self):
        rows = []
        for threads in unique(cell["threads"] for cell in self.cells):
            cells = [cell for cell in self.cells if cell["threads"] == threads]
            row = [threads]
            for key in ("read_gb_s", "int8_peak_gmac_s"):
                values = sorted(cell[key] for cell in cells)
                row.append(f"{values[0]:.1f} to {values[-1]:.1f}")
            rows.append(row)
        return "## Limits of the machine in the same rounds\n\n" + table(
            ["threads", "read bandwidth, GB/s", "int8 dot product without AMX, GMAC/s"], rows)

    def summary(self):
        text = ("## lutc against the fastest peer with the same kind of weights\n\nGeometric mean over the shapes, "
                "least in parentheses; below 1 the peer is faster.\n\n")
        for threads, weights, tokens in self.groups():
            rows = []
            for _, kernel in self.contenders:
                row = [kernel] + [self.speedup(kernel, threads, weights, m) for m in tokens]
                if any(row[1:]):
                    rows.append(row)
            if rows:
                text += f"{threads_text(threads)}, {weights} weights:\n\n"
                text += table(["kernel", *(f"m = {m}" for m in tokens)], rows)
        return text

    def aims(self):
        """Hot weights, one thread; for every format the faster of its classes, geometric mean over the shapes."""
        cells = [c for c in self.cells if (c["threads"], c["weights"]) == (1, "hot")]
        tokens = unique(c["m"] for c in cells)
        rows = []
        for kernel, (peer, aims) in AIMS.items():
            row = [f"{kernel}, {peer}"]
            for m in tokens:
                ratios = [r for c in cells if c["m"] == m and (r := self.same_type(c, kernel, peer))]
                row.append(f"{geometric_mean(ratios):.2f} of {aims.get(m, OTHER_AIM)}" if ratios else "")
            if any(row[1:]):
                rows.append(row)
        if self.data["variant"] != "avx2" or not rows:
            return ""
        return ("## AVX2 beside its aims\n\nTimes faster than llama.cpp's fastest kernel of the same type, by least times; hot "
                "weights, 1 thread; of the aim.\n\n" + table(["format", *(f"m = {m}" for m in tokens)], rows))

    @staticmethod
    def same_type(cell, kernel, peer):
        def least(name, type):
            return min((r["min_us"] for r in cell["results"] if r["peer"] == name and r["type"].split()[0] == type),
                       default=None)
        lutc, other = least("lutc", kernel), least("llama.cpp", peer)
        return lutc and other and other / lutc

    def groups(self):
        for threads, weights in unique((cell["threads"], cell["weights"]) for cell in self.cells):
            yield threads, weights, unique(cell["m"] for cell in self.cells if cell["threads"] == threads
                                           and cell["weights"] == weights)

    def speedup(self, kernel, threads, weights, m):
        ratios = [min(result["speedup"].values()) for cell in self.cells for result in cell["results"]
                  if (cell["threads"], cell["weights"], cell["m"]) == (threads, weights, m)
                  and name(result) == kernel and "speedup" in result]
        if not ratios:
            return ""
        mean = f"{geometric_mean(ratios):.2f}"
        return mean if len(ratios) == 1 else f"{mean} ({min(ratios):.2f})"

    def shape_tables(self):
        text = ("## Times, us a call\n\nIn parentheses for lutc: times faster than the fastest peer with the same kind "
                "of weights. m = 1 cold also as share of the read bandwidth, the largest m as share of the int8 "
                "peak.\n\n")
        for n, k, threads in unique((cell["n"], cell["k"], cell["threads"]) for cell in self.cells):
            cells = [c for c in self.cells if (c["n"], c["k"], c["threads"]) == (n, k, threads)]
            header = ["contender", "bits", "NMSE", *(f"m = {c['m']} {c['weights']}" for c in cells)]
            rows = [row for _, contender in self.contenders if (row := self.row(contender, cells))]
            text += f"### {n} x {k}, {threads_text(threads)}\n\n" + table(header, rows)
        return text

    def row(self, contender, cells):
        row, found = [], None
        for cell in cells:
            result = next((r for r in cell["results"] if name(r) == contender), None)
            found = found or result
            row.append(self.entry(cell, result, max(c["m"] for c in cells)) if result else "")
        return found and [contender, f"{found['bits']:.2f}", f"{found['nmse']:.1e}", *row]

    @staticmethod
    def entry(cell, result, most):
        text = number(result["min_us"])
        if "speedup" in result:
            text += f" ({min(result['speedup'].values()):.2f}x)"
        if cell["m"] == 1 and cell["weights"] == "cold":
            text += f", {100 * result['gb_s'] / cell['read_gb_s']:.0f} %"
        elif cell["m"] == most and most >= 32:
            text += f", {100 * result['gmac_s'] / cell['int8_peak_gmac_s']:.0f} %"
        return text

    def missing(self):
        if not self.data["not_run"]:
            return ""
        reasons = {}
        for it in self.data["not_run"]:
            shapes = unique(it["shapes"])
            where = f" ({', '.join(shapes)})" if shapes else ""
            reasons.setdefault(it["reason"] + where, []).append(it["name"])
        lines = [f"* {', '.join(names)}: {reason}" for reason, names in reasons.items()]
        return "## Not run\n\n" + "\n".join(lines) + "\n"


def main(path):
    with open(path) as file:
        run = Run(json.load(file))
    base = os.path.splitext(path)[0]
    with open(base + ".md", "w") as file:
        file.write(run.head() + f"![plots]({os.path.basename(base)}.svg)\n\n" + run.limits() + run.summary() + run.aims() +
                   run.shape_tables() + run.missing())
    with open(base + ".svg", "w") as file:
        file.write(plot.draw(run.cells))


main(sys.argv[1])

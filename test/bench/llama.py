"""Whole models in llama.cpp, stock and with lutc's plug-in: llama.py <directory of llama.cpp> <plug-in> <work> [option...]

Both programs hold the model and take turns, cell by cell and round by round. Models are written, measured and deleted.
"""
import argparse
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "examples/llama_cpp"))
import gguf
import llama
from llama_models import MODELS, write

POSITION = 128  # where decoding goes on
SEQUENCES = 8
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
CELLS = {"decode": 1, f"{SEQUENCES} sequences": SEQUENCES, "prefill of 128": 128, "prefill of 512": 512}  # tokens of a call


class Speaker:
    """A model, and what is needed to time its cells."""

    def __init__(self, directory, path):
        self.llama = llama.Llama(directory, log=lambda line: print(line, end="", file=sys.stderr) if line.startswith("lutc:") else None)
        model = llama.Model(self.llama, path)
        self.words = model.words
        self.prefill, self.one = llama.Context(model, 512), llama.Context(model, 2 * POSITION)
        self.many = llama.Context(model, 2 * POSITION, sequences=SEQUENCES)
        self.pools = {1: None, 2: self.llama.threadpool(2)}
        self.has_prompts, self.clock = False, CLOCKS["wall"]

    def read_prompts(self):
        for context in (self.one, self.many):
            context.decode(self.tokens(POSITION))
        for sequence in range(1, SEQUENCES):
            self.many.copy(sequence)
        self.has_prompts = True

    def tokens(self, count):
        return [(i * 7919 + 11) % self.words for i in range(count)]  # experts differ

    def call(self, count):
        """Seconds of one call."""
        context, position = {1: (self.one, POSITION), SEQUENCES: (self.many, POSITION)}.get(count, (self.prefill, 0))
        context.forget(position)
        start = self.clock()
        context.decode(self.tokens(count), position, count if position else 1)
        return self.clock() - start

    def measure(self, count, threads, seconds):
        """Seconds of each call, until some seconds are over."""
        for context in (self.prefill, self.one, self.many):
            context.use_threads(threads, self.pools[threads])
        if not self.has_prompts:
            self.read_prompts()
        times, end = [], time.perf_counter() + seconds
        while not times or time.perf_counter() < end:
            times.append(self.call(count))
        return times


def speak(directory, path):
    """Answers lines of count, threads, seconds and clock by the median."""
    speaker = Speaker(directory, path)
    print("ready", flush=True)
    for line in sys.stdin:
        count, threads, seconds, clock = line.split()
        speaker.clock = CLOCKS[clock]
        print(statistics.median(speaker.measure(int(count), int(threads), float(seconds))), flush=True)


class Engine:
    """A process that speaks."""

    def __init__(self, directory, path, plugin=None):
        environment = {key: value for key, value in os.environ.items() if key != "GGML_BACKEND_PATH"}
        if plugin:
            environment["GGML_BACKEND_PATH"] = plugin
        self.process = subprocess.Popen([sys.executable, __file__, "--speak", directory, path], env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("llama: an engine ended")
        return line

    def measure(self, *question):
        print(*question, file=self.process.stdin, flush=True)
        return float(self.answer())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def rounds_of(engines, options):
    """{(cell, threads): [(seconds of llama.cpp, of lutc) of each round]}"""
    times = {}
    for turn in range(options.rounds):
        for threads in options.threads:
            for cell in options.cells:
                order = engines if turn % 2 == 0 else engines[::-1]
                pair = [engine.measure(CELLS[cell], threads, options.seconds, options.clock) for engine in order]
                times.setdefault((cell, threads), []).append(pair if turn % 2 == 0 else pair[::-1])
    return times


def row(name, cell, threads, pairs):
    """Prints a cell; returns the ratio of the medians."""
    stock, ours = (statistics.median(column) for column in zip(*pairs))
    least = min(stock / ours for stock, ours in pairs)
    count = CELLS[cell]
    print(f"| {name} | {threads} | {cell} | {count / stock:.1f} | {count / ours:.1f} | {stock / ours:.2f} | {least:.2f} |", flush=True)
    return stock / ours


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def compare(options):
    print("# Whole models in llama.cpp, stock and with lutc's plug-in\n")
    print(f"Random weights of the real size, head included; tokens a second, medians of {options.rounds} rounds in turn; decoding at position "
          f"{POSITION}; {options.clock} clock.\nStock repacks where it can. Times faster: the ratio of the medians, and the least of the rounds.\n")
    print("| model | threads | | llama.cpp | lutc | times faster | least |\n| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    ggml, ratios = gguf.Ggml(options.directory), {}
    for name in options.models:
        path = pathlib.Path(options.work) / "model.gguf"
        write(path, MODELS[name], ggml)
        engines = [Engine(options.directory, path, plugin) for plugin in (None, options.plugin)]
        path.unlink()  # both have it open
        for (cell, threads), pairs in rounds_of(engines, options).items():
            ratios.setdefault(cell, []).append(row(name, cell, threads, pairs))
        for engine in engines:
            engine.end()
    means = ", ".join(f"{cell} {geometric_mean(found):.2f} ({min(found):.2f})" for cell, found in ratios.items())
    print(f"\nGeometric means, the least in parentheses: {means}.")


def measure_layers(options):
    """Prints tokens of a call, threads, and the most tokens a second of stock llama.cpp, for the layers alone."""
    path = pathlib.Path(options.work) / "model.gguf"
    write(path, MODELS[options.models[0]].layers_alone(), gguf.Ggml(options.directory))
    speaker = Speaker(options.directory, path)
    path.unlink()
    for threads in options.threads:
        for count in (1, 128):
            print(count, threads, count / min(speaker.measure(count, threads, options.seconds)), flush=True)


def chosen(names, parts):
    return [name for name in names if any(part.lower() in name.lower() for part in parts.split(","))]


def main():
    if sys.argv[1:2] == ["--speak"]:
        speak(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(prog="scripts/bench", usage="scripts/bench --llama [option...]")
    for given in ("directory", "plugin", "work"):  # by scripts/bench
        parser.add_argument(given, help=argparse.SUPPRESS)
    parser.add_argument("--models", default="", help="names, or parts of them, with commas between: " + ", ".join(MODELS))
    parser.add_argument("--cells", default="", help="the same of " + ", ".join(CELLS))
    parser.add_argument("--threads", default="1,2", help="of 1,2")
    parser.add_argument("--clock", default="wall", choices=CLOCKS, help="cpu: for one thread of a machine that has other work")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a cell, an engine and a round; at least one call")
    parser.add_argument("--layers", action="store_true", help="instead: stock alone, the layers of one model without its head")
    options = parser.parse_args()
    options.models, options.cells = chosen(MODELS, options.models), chosen(CELLS, options.cells)
    options.threads = [int(threads) for threads in options.threads.split(",")]
    if options.clock == "cpu" and options.threads != [1]:
        parser.error("--clock=cpu counts waiting threads, too; it goes with --threads=1")
    if not options.models or not options.cells:
        parser.error("no such model, or no such cell")
    (measure_layers if options.layers else compare)(options)


if __name__ == "__main__":
    main()

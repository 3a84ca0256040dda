"""Times lutc pack beside reading and writing the same bytes: pack.py LUTC DRAW_CHECKPOINT DIRECTORY [ROUNDS]

Two gigabytes of 4-bit GPTQ. In each round both start with the checkpoint out of the page cache and end with their file
on the disk. Exits with 1 where the median of the ratios exceeds the bar.
"""
import os
import statistics
import subprocess
import sys
import time

BAR = 4.0
CHUNK = 8 << 20
peaks = []


def forget(paths):
    """Takes files out of the page cache."""
    os.sync()
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def copy(paths, output):
    buffer = memoryview(bytearray(CHUNK))
    with open(output, "wb", buffering=0) as out:
        for path in paths:
            with open(path, "rb", buffering=0) as file:
                while count := file.readinto(buffer):
                    out.write(buffer[:count])
        os.fsync(out.fileno())


def run(command):
    """Remembers the bytes of memory at the peak."""
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"failed: {' '.join(command)}")
    peaks.append(usage.ru_maxrss << 10)


def seconds(action):
    start = time.monotonic()
    action()
    return time.monotonic() - start


def main():
    lutc, draw, directory = sys.argv[1:4]
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    checkpoint, output = os.path.join(directory, "large"), os.path.join(directory, "packed.lutc")
    if not os.path.exists(os.path.join(checkpoint, "config.json")):
        subprocess.run([sys.executable, draw, "large", checkpoint, "1"], check=True)
    subprocess.run([lutc, "compile", f"{checkpoint}/config.json", "--name=large", "-o", checkpoint, "--emit=manifest"],
                   check=True)
    shards = sorted(entry.path for entry in os.scandir(checkpoint) if entry.name.endswith(".safetensors"))
    command = [lutc, "pack", checkpoint, f"--library={checkpoint}/large.json", "-o", output]
    size = sum(os.path.getsize(shard) for shard in shards)
    print(f"# lutc pack of {size / 1e9:.2f} GB in {len(shards)} shards, beside a copy of the same bytes\n")
    print("| round | copy, s | pack, s | ratio |\n| --- | --- | --- | --- |")
    ratios = []
    for index in range(rounds):
        times = []
        for action in (lambda: copy(shards, output), lambda: run(command)):
            forget(shards)
            times.append(seconds(action))
            os.remove(output)
        ratios.append(times[1] / times[0])
        print(f"| {index + 1} | {times[0]:.2f} | {times[1]:.2f} | {ratios[-1]:.2f} |", flush=True)
    ratio = statistics.median(ratios)
    print(f"\nMedian ratio {ratio:.2f}, bar {BAR}; at most {max(peaks) >> 20} MiB resident in lutc.")
    return 1 if ratio > BAR else 0


sys.exit(main())

"""What the experiments of scripts/bench share: repeats within a budget, the measuring programs, and the machine's floor."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import harness  # noqa: E402

BENCH = ROOT / "build" / "bench"
QUICK_BUDGET_S = 38.0
FULL_BUDGET_S = 300.0


def say(text):
    print(text, file=sys.stderr, flush=True)


class Repeats:
    """Repeats of a measurement until enough were taken or the next would not fit into the budget."""

    def __init__(self, quick, wanted):
        self.left = wanted
        self.budget = QUICK_BUDGET_S if quick else FULL_BUDGET_S
        self.begin = self.last = time.monotonic()
        self.longest = 0.0

    def __iter__(self):
        return self

    def __next__(self):
        now = time.monotonic()
        self.longest = max(self.longest, now - self.last)
        self.last = now
        first = now == self.begin or self.longest == 0
        if self.left == 0 or (not first and now - self.begin + self.longest > self.budget):
            raise StopIteration
        self.left -= 1


def program(name, *options, home=None, timeout=60):
    """What the measuring program `icarus-bench-NAME` prints; it talks to the broker of `home`."""
    run = subprocess.run([BENCH / f"icarus-bench-{name}", *map(str, options)], env=home.environment if home else None,
                         capture_output=True, text=True, timeout=timeout, check=False)
    if run.returncode != 0:
        raise SystemExit(run.stderr)
    return json.loads(run.stdout)


def echo(*options):
    return program("echo", *options)


def timed(home, *arguments):
    return home.icarus(*arguments, timeout=300).seconds


def sync_us(directory):
    """The median of appending 200 bytes to a file and syncing it, as a log does."""
    seconds = []
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        for _ in range(200):
            begin = time.perf_counter()
            os.write(file.fileno(), b"x" * 200)
            os.fdatasync(file.fileno())
            seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds) * 1e6


def disk_mb(directory):
    """MiB that the files below it take on the disk; one that goes meanwhile takes none."""
    blocks = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                blocks += os.lstat(os.path.join(folder, name)).st_blocks
            except FileNotFoundError:
                pass
    return blocks * 512 / 2**20


def median_of(rounds, key, digits=1):
    value = statistics.median(one[key] for one in rounds)
    return round(value, digits) if digits else round(value)


def median_ratio(rounds, key, to, digits=3):
    """The median of the ratios within the rounds."""
    return round(statistics.median(one[key] / one[to] for one in rounds), digits)

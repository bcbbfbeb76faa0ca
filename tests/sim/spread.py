#!/usr/bin/python3
"""Runs the simulator's seeds in blocks, one process a CPU, and adds up what the processes say.

Usage: spread.py PROGRAM [--seeds N] [--first-seed S] [--trace]
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import time

BLOCK = 250
TOTALS = re.compile(r"(\d+) seeds, (\d+) steps, (\d+) tasks, (\d+) faults, (\d+) checks, (\d+) violations")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--trace", action="store_true")
    options = parser.parse_args()
    begin = time.monotonic()
    if options.trace:
        return subprocess.call([options.program, "--seeds", "1", "--first-seed", str(options.first_seed), "--trace"])
    last = options.first_seed + options.seeds
    blocks = [(first, min(BLOCK, last - first)) for first in range(options.first_seed, last, BLOCK)]

    def run(block):
        return subprocess.run([options.program, "--first-seed", str(block[0]), "--seeds", str(block[1])],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    sums, digest, failed = [0] * 6, 0, False
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for outcome in pool.map(run, blocks):
            totals = TOTALS.search(outcome.stdout)
            if outcome.returncode != 0:
                failed = True
                print(outcome.stdout, end="")
            if totals:
                sums = [a + int(b) for a, b in zip(sums, totals.groups())]
            one = re.search(r"hash ([0-9a-f]{16})", outcome.stdout)
            digest = ((digest * 0x100000001B3) ^ int(one.group(1), 16) if one else digest) % (1 << 64)
    print(f"hash {digest:016x}")
    print("{} seeds, {} steps, {} tasks, {} faults, {} checks, {} violations, {:.1f} seconds".format(
        *sums, time.monotonic() - begin))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

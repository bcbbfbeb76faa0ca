#!/usr/bin/python3
"""Runs the end-to-end tests, one process a file, three at a time: most of their time is waiting.

Usage: run.py [--all] [-jN] [NAME…]     --all: the long versions; NAME: only test_NAME.py
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
LONGEST = ("test_crash", "test_airfoil", "test_cache", "test_lifecycle")  # begun first


def run(file):
    done = subprocess.run([sys.executable, str(file)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    print(f"=== {file.stem}\n{done.stdout.decode(errors='replace')}", flush=True)
    return done.returncode == 0


def main():
    names = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    lanes = next((int(argument[2:]) for argument in sys.argv[1:] if argument.startswith("-j")), 3)
    if "--all" in sys.argv[1:]:
        os.environ["ICARUS_E2E_LONG"] = "1"
    files = [HERE / f"test_{name}.py" for name in names] or sorted(HERE.glob("test_*.py"))
    files.sort(key=lambda file: file.stem not in LONGEST)
    with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
        passed = list(pool.map(run, files))
    failed = [file.stem for file, good in zip(files, passed) if not good]
    print("all passed" if not failed else f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""Runs the end-to-end tests, one process a file.

Usage: run.py [--all] [NAME…]      --all: the long versions; NAME: only test_NAME.py
"""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def main():
    names = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if "--all" in sys.argv[1:]:
        os.environ["ICARUS_E2E_LONG"] = "1"
    files = [HERE / f"test_{name}.py" for name in names] or sorted(HERE.glob("test_*.py"))
    failed = []
    for file in files:
        print(f"=== {file.stem}", flush=True)
        run = subprocess.run([sys.executable, str(file)], stderr=subprocess.STDOUT, check=False)
        if run.returncode != 0:
            failed.append(file.stem)
    print("all passed" if not failed else f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

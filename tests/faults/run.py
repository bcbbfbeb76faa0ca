#!/usr/bin/python3
"""Fault runs on the real programs. See scripts/faults."""
import argparse
import random
import sys
import time
import unittest

import client_faults
import clock_faults
import disk_faults
import network_faults
import process_faults


# One run each in scripts/test: neither root nor minutes. Some are shorter there than in the table.
QUICK = {
    "crash commit.before": None,
    "crash promise.before": None,
    "crash worker.finished": None,
    "random kills (5 a run)": None,
    "clock jumps": lambda seed: clock_faults.clock_jumps(seed, jumps=3),
    "reconnect storm": lambda seed: client_faults.reconnect_storm(seed, members=100, kills=1, cuts=1),
    "damage log-cut": None,
}


def table():
    """name -> (a run from a seed, how many runs of it the full table has)."""
    faults = {}
    for point in process_faults.CRASH_POINTS:
        faults[f"crash {point}"] = (lambda seed, point=point: process_faults.crash_point(point, seed), 20)
    faults["random kills (5 a run)"] = (process_faults.random_kills, 40)
    faults["kill in upload"] = (process_faults.kill_in_upload, 10)
    faults["stopped worker"] = (process_faults.stopped_worker, 20)
    faults["stopped broker"] = (process_faults.stopped_broker, 10)
    faults["clock jumps"] = (clock_faults.clock_jumps, 20)
    faults["bad network"] = (network_faults.bad_network, 8)
    faults["reconnect storm"] = (client_faults.reconnect_storm, 6)
    faults["slow consumers"] = (client_faults.slow_consumers, 8)
    faults["stopped waiters"] = (client_faults.stopped_waiters, 3)
    faults["power cut"] = (disk_faults.power_cut, 50)
    faults["power cut, control without syncs"] = (disk_faults.power_cut_control, 5)
    faults["full disk"] = (disk_faults.full_disk, 20)
    for kind in disk_faults.DAMAGES:
        faults[f"damage {kind}"] = (lambda seed, kind=kind: disk_faults.damage(kind, seed), 5)
    return faults


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/faults")
    parser.add_argument("--quick", action="store_true", help="the short fixed set of scripts/test")
    parser.add_argument("--runs", type=int, help="runs of each fault in place of the table's")
    parser.add_argument("--seed", type=int, default=1, help="of the first run of each fault")
    parser.add_argument("--list", action="store_true", help="only name the faults, with the runs of a full table")
    parser.add_argument("--self-test", action="store_true", help="only see that the checker of histories can fail")
    parser.add_argument("fault", nargs="*", help="only faults whose name contains one of these")
    return parser.parse_args()


def self_test():
    suite = unittest.defaultTestLoader.loadTestsFromName("test_history")
    return unittest.TextTestRunner(stream=sys.stdout).run(suite).wasSuccessful()


def main():
    options = arguments()
    if options.self_test or options.quick:
        passed = self_test()
        if options.self_test or not passed:
            return 0 if passed else 1
    faults = {name: entry for name, entry in table().items()
              if not options.fault or any(word in name for word in options.fault)}
    if options.list:
        for name, (_, full) in faults.items():
            print(f"{name:<36} {full:>5}")
        return 0
    total_runs, total_wrong, begin = 0, 0, time.monotonic()
    print(f"{'fault':<36} {'runs':>5} {'violations':>10} {'seconds':>8}", flush=True)
    for name, (one, full) in faults.items():
        if options.quick and name not in QUICK:
            continue
        if options.quick:
            one, full = QUICK[name] or one, 1
        runs = options.runs or full
        wrong, started = 0, time.monotonic()
        for number in range(runs):
            seed = random.Random(f"{name} {options.seed + number}").getrandbits(32)
            try:
                violations, logs = one(seed)
            except (AssertionError, OSError) as error:
                violations, logs = [f"the run itself failed: {error}"], ""
            if violations:
                wrong += len(violations)
                print(f"  {name}, --seed {options.seed + number}:", file=sys.stderr)
                for violation in violations[:10]:
                    print(f"    {violation}", file=sys.stderr)
                print(logs, file=sys.stderr, flush=True)
        print(f"{name:<36} {runs:>5} {wrong:>10} {time.monotonic() - started:>8.0f}", flush=True)
        total_runs, total_wrong = total_runs + runs, total_wrong + wrong
    print(f"{total_runs} runs, {total_wrong} violations, {time.monotonic() - begin:.0f} seconds")
    return 1 if total_wrong else 0


if __name__ == "__main__":
    sys.exit(main())

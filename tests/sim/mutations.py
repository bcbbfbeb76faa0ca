#!/usr/bin/python3
"""Breaks the cores on purpose, one plausible mistake at a time, and sees that the simulator notices.

Usage: mutations.py [--seeds N] [--list] [NAME…]

Works on a copy of the sources in build/mutants. Each mutation must be caught within N seeds (2000); the exit code says
whether all were.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / "build" / "mutants"

# name: what the mistake is, file, what stands there, what stands there then
MUTATIONS = {
    "submit-before-durable": (
        "a submission is acknowledged before it is on disk", "broker/core/broker_core_requests.cc",
        "out.Reply(PeerRole::kClient, caller.instance, correlation, std::move(*reply), /*promise=*/true);",
        "out.Reply(PeerRole::kClient, caller.instance, correlation, std::move(*reply));"),
    "dispatch-before-durable": (
        "a task is handed out before its dispatch is on disk", "broker/core/broker_core_schedule.cc",
        "out.Reply(PeerRole::kWorker, worker.instance, 0, std::move(dispatch), /*promise=*/true);",
        "out.Reply(PeerRole::kWorker, worker.instance, 0, std::move(dispatch));"),
    "result-ack-before-durable": (
        "a result is acknowledged before it is on disk", "broker/core/broker_core_workers.cc",
        "out.Reply(PeerRole::kWorker, worker.instance, 0, std::move(ack), /*promise=*/true);",
        "out.Reply(PeerRole::kWorker, worker.instance, 0, std::move(ack));"),
    "promise-one-batch-early": (
        "promises leave with the batch before theirs", "broker/core/batch_gate.cc",
        "held_.front().sequence <= sequence)", "held_.front().sequence <= sequence + 1)"),
    "no-token-check": (
        "a result with an old token counts", "broker/core/broker_core_workers.cc",
        "execution->token != result.token || ", ""),
    "cancel-ends-a-shared-execution": (
        "the leader's cancel ends what others wait for", "broker/core/broker_core_results.cc",
        "  if (execution.subscribers.size() == 1) {", "  if (was_leader) {"),
    "dispatches-forgotten-at-restart": (
        "a restarted broker does not know what was handed out", "broker/core/broker_core.cc",
        "  if (!job.IsReady(task.index)) return false;", "  return false;"),
    "result-forgotten-when-sent": (
        "a worker does not keep its result until it is acknowledged", "worker/core/result_spool.cc",
        "      bytes += kept.body->size();\n    }",
        "      bytes += kept.body->size();\n    }\n    kept_.erase(found);"),
    "lost-worker-keeps-its-tasks": (
        "what a lost worker had does not come back", "broker/core/broker_core_workers.cc",
        "      EndWorkerDeath(*execution, now, out);", "      continue;"),
    "lost-dispatch-not-taken-back": (
        "what never arrived at a worker that says Hello again stays there", "broker/core/broker_core_workers.cc",
        "if (Execution* execution = executions_.Find(id)) TakeBack(*execution, now, out);", "continue;"),
    "key-without-parameters": (
        "results of different parameters share a key", "common/analysis/cache_key.cc",
        "AppendCanonical(out, parts.params)", "AppendCanonical(out, ValueMap())"),
    "waiting-counts-for-nothing": (
        "a low priority waits for as long as there is a higher one", "broker/core/ready_queue.cc",
        "return priority - steps;", "return priority - steps * 0;"),
    "submission-id-forgotten": (
        "after a restart the same submission becomes a second job", "broker/core/broker_core.cc",
        "  by_submit_id_[SubmitKey::Of(record.user, record.id)] = id;\n", ""),
    "backoff-forgotten-at-restart": (
        "a task that backs off when the broker restarts never comes back", "broker/core/broker_core.cc",
        "  backoffs_.insert({not_before_ms, {job.id(), index}});\n", ""),
    "page-without-those-that-ended": (
        "results that came while a page was read are shown without their values",
        "broker/core/broker_core_queries.cc",
        "  if (stale) return StartPage(std::move(read), out);\n", "  static_cast<void>(stale);\n"),
}


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


def copy_sources():
    for folder in ("common", "broker", "worker", "client", "cmake", "tests/sim"):
        shutil.copytree(ROOT / folder, COPY / folder, dirs_exist_ok=True,
                        copy_function=lambda a, b: shutil.copy2(a, b) if not same(a, b) else None)
    for name in ("CMakeLists.txt", "CMakePresets.json"):
        if not same(ROOT / name, COPY / name):
            shutil.copy2(ROOT / name, COPY / name)
    (COPY / "bench").mkdir(exist_ok=True)
    (COPY / "bench" / "CMakeLists.txt").write_text("")


def same(a, b):
    b = pathlib.Path(b)
    return b.exists() and pathlib.Path(a).read_bytes() == b.read_bytes()


def build():
    if not (COPY / "build" / "build.ninja").exists():
        done = run(["cmake", "-G", "Ninja", "-S", str(COPY), "-B", str(COPY / "build"), "-DICARUS_BUILD_TESTS=OFF",
                    "-DICARUS_BUILD_BENCH=ON", "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_UNITY_BUILD=OFF", "-DCMAKE_CXX_FLAGS_RELEASE=-O1",
                    "-DCMAKE_CXX_FLAGS=-Wno-error", "-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld"])
        if done.returncode != 0:
            sys.exit(done.stdout)
    return run(["ninja", "-C", str(COPY / "build"), "icarus-sim"])


def simulate(seeds):
    return run([str(COPY / "build" / "tests" / "sim" / "icarus-sim"), "--seeds", str(seeds)], timeout=900)


def try_mutation(name, seeds):
    what, file, old, new = MUTATIONS[name]
    path = COPY / file
    text = path.read_text()
    if text.count(old) != 1:
        return False, f"its place in {file} is not there any more"
    path.write_text(text.replace(old, new))
    try:
        built = build()
        if built.returncode != 0:
            return False, "it does not compile: " + built.stdout[-400:]
        outcome = simulate(seeds)
    finally:
        path.write_text(text)
    if outcome.returncode == 0:
        return False, f"not noticed in {seeds} seeds"
    ended = re.search(r"seed (\d+)", outcome.stdout)
    violation = re.search(r"violation: (.*)", outcome.stdout)
    said = violation.group(1)[:90] if violation else "a check of the core itself"
    return True, f"seed {ended.group(1) if ended else '?'}: {said}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if options.list:
        for name, (what, file, _, _) in MUTATIONS.items():
            print(f"{name:34} {what} ({file})")
        return 0
    copy_sources()
    built = build()
    if built.returncode != 0:
        sys.exit(built.stdout[-2000:])
    clean = simulate(200)
    if clean.returncode != 0:
        sys.exit("without a mutation the simulator already complains:\n" + clean.stdout[-2000:])
    caught = 0
    names = options.names or list(MUTATIONS)
    for name in names:
        begin = time.monotonic()
        good, text = try_mutation(name, options.seeds)
        caught += good
        print(f"{'caught' if good else 'MISSED'}  {name:34} {text}  ({time.monotonic() - begin:.0f} s)", flush=True)
    build()
    print(f"{caught} of {len(names)} mutations caught within {options.seeds} seeds")
    return 0 if caught == len(names) else 1


if __name__ == "__main__":
    sys.exit(main())

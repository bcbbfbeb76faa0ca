"""Faults of processes: crash points, kill -9, stopped processes."""
import contextlib
import os
import signal
import time

from campaign import CRASHED, FINAL, Campaign, harness
from harness import wait_until

# Where in which program; what is passed only at a start is crashed at a start.
BROKER_POINTS = ["broker.message", "broker.turn", "commit.before", "store.written", "commit.after", "promise.before",
                 "promise.delivered", "broker.results", "cache.put", "cache.stored"]
START_POINTS = ["store.opened", "broker.recovered"]
WORKER_POINTS = ["worker.dispatch", "worker.started", "worker.finished", "worker.sent", "worker.told", "worker.acknowledged",
                 "worker.cleanup"]
CRASH_POINTS = BROKER_POINTS + START_POINTS + WORKER_POINTS


def wait_for_crash(campaign, name):
    wait_until(lambda: campaign.ended(name), f"the crash of {name}", timeout=40)
    code = campaign.started[name].returncode
    if code != CRASHED:
        campaign.violations.append(f"{name} ended with {code} and not at its crash point")


def crash_point(point, seed):
    with Campaign(seed) as campaign:
        # Of cached results there are few that differ.
        passage = campaign.chance.choice([1, 2, 3] if point.startswith("cache") else [1, 2, 3, 5, 8, 13, 21, 34])
        environment = {"ICARUS_CRASH_AT": f"{point}:{passage}"}
        if point in START_POINTS:
            campaign.start_all()
            campaign.work()
            time.sleep(campaign.chance.uniform(0.2, 0.8))
            campaign.kill("broker")
            campaign.start("broker", {"ICARUS_CRASH_AT": f"{point}:1"})
            wait_for_crash(campaign, "broker")
        else:
            name = "broker" if point in BROKER_POINTS else "w0"
            campaign.start_all({name: environment})
            campaign.work()
            wait_for_crash(campaign, name)
            campaign.start(name)
        time.sleep(campaign.chance.uniform(0.1, 0.5))
        return campaign.finish(), campaign.logs()


def random_kills(seed, kills=5):
    """kill -9 of the broker, a worker, or all at once, and what died comes back."""
    with Campaign(seed) as campaign:
        campaign.start_all()
        campaign.work()
        for _ in range(kills):
            time.sleep(campaign.chance.uniform(0.05, 0.7))
            victims = campaign.chance.choice([["broker"], ["broker"], ["w0"], ["w1"], ["broker", "w0", "w1"]])
            for name in victims:
                campaign.kill(name)
            time.sleep(campaign.chance.choice([0, 0.1, 0.6]))
            campaign.start_all()
        return campaign.finish(), campaign.logs()


def kill_in_upload(seed, kills=6, size=8_000_000):
    """kill -9 of the broker while a large output comes in: at its beginning, in its middle, and when all its bytes are
    there and the file has not got its name yet."""
    with Campaign(seed) as campaign:
        campaign.start_all()
        campaign.work(count=1)
        caught = 0
        for _ in range(kills):
            key = campaign.do_large(campaign.chance, size)
            whole = {len(value) + 1 for value in campaign.history.sent[key].values.values()}
            if await_upload(campaign, key, campaign.chance.choice([1, size // 2, min(whole), min(whole)])):
                caught += 1
                campaign.kill("broker")
                campaign.start("broker")
        if caught == 0:
            campaign.violations.append("no upload was caught: the run proves nothing")
        return campaign.finish(), f"caught {caught} of {kills} uploads\n{campaign.logs()}"


def await_upload(campaign, key, size):
    """True when so many bytes of an output are there and no file of it is; False when the job has ended before."""
    directory = campaign.home.path / "blobs" / "tmp"
    job = campaign.history.jobs()[key]
    deadline = time.monotonic() + 40 * harness.SLOW
    while time.monotonic() < deadline:
        for _ in range(2000):  # without a pause: the last step takes a few milliseconds
            with contextlib.suppress(OSError):
                if any(entry.stat().st_size >= size for entry in os.scandir(directory)):
                    return True
        if campaign.jobs()[job]["state"] in FINAL:
            return False
    raise AssertionError(f"neither an upload nor the end of job {job}")


def stopped_worker(seed):
    """SIGSTOP for longer than the lease: its tasks run elsewhere, and what it brings when it wakes counts no more."""
    with Campaign(seed) as campaign:
        campaign.start_all()
        campaign.work()
        time.sleep(campaign.chance.uniform(0.2, 0.8))
        name = campaign.chance.choice(campaign.worker_names)
        is_in = lambda state: any((worker["name"], worker["state"]) == (name, state)
                                  for worker in campaign.ask("workers") or [])
        wait_until(lambda: is_in("active"), "the worker")
        os.kill(campaign.started[name].pid, signal.SIGSTOP)
        wait_until(lambda: is_in("lost"), "the loss of the stopped worker", timeout=30)
        time.sleep(campaign.chance.uniform(0, 1))
        os.kill(campaign.started[name].pid, signal.SIGCONT)
        return campaign.finish(), campaign.logs()


def stopped_broker(seed):
    """The broker sleeps for seconds, as on a laptop whose lid is shut."""
    with Campaign(seed) as campaign:
        campaign.start_all()
        campaign.work()
        for _ in range(2):
            time.sleep(campaign.chance.uniform(0.2, 0.6))
            os.kill(campaign.started["broker"].pid, signal.SIGSTOP)
            time.sleep(campaign.chance.uniform(1, 5))
            os.kill(campaign.started["broker"].pid, signal.SIGCONT)
        return campaign.finish(), campaign.logs()

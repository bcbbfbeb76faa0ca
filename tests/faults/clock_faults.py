"""Faults of time: wall clocks that are set forward and back, machines that slept, and machines that were moved."""
import mmap
import os
import pathlib
import signal
import struct
import subprocess
import time

from campaign import Campaign
from harness import wait_until

SHIM = pathlib.Path(__file__).resolve().parent / "clock_shim.c"
MINUTE, HOUR, DAY = 60, 3600, 86400
WALL_STEPS = [MINUTE, HOUR, DAY, 30 * DAY]
# Far below jobs.retention_hours in sum: what ended must still be there to be checked.
MONOTONIC_STEPS = [5, MINUTE, HOUR, DAY]


class Clock:
    """The clocks of one program, across its restarts."""

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(24))
        with open(path, "r+b") as file:
            self.file = mmap.mmap(file.fileno(), 24)

    def environment(self, library):
        return {"LD_PRELOAD": str(library), "ICARUS_CLOCK_FILE": str(self.path)}

    def move(self, wall=0, monotonic=0):
        for at, seconds in ((0, wall), (8, monotonic)):
            before = struct.unpack_from("<q", self.file, at)[0]
            struct.pack_into("<q", self.file, at, before + seconds * 1_000_000_000)

    def begin_anew(self):
        """The monotonic clock of a machine that was started again."""
        struct.pack_into("<q", self.file, 8, 0)

    def looks(self):
        return struct.unpack_from("<Q", self.file, 16)[0]


def build_shim(directory):
    library = directory / "clock_shim.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, SHIM], check=True, capture_output=True)
    return library


def send(campaign, names, number):
    for name in names:
        if not campaign.ended(name):
            os.kill(campaign.started[name].pid, number)


def set_wall(campaign, clocks, names):
    for name in names:
        clocks[name].move(wall=campaign.chance.choice([-1, 1]) * campaign.chance.choice(WALL_STEPS))


def suspend(campaign, clocks, names):
    """A lid that was shut: only the wall clock went on."""
    send(campaign, names, signal.SIGSTOP)
    set_wall_forward(campaign, clocks, names, WALL_STEPS, monotonic=False)
    time.sleep(campaign.chance.uniform(0, 0.3))
    send(campaign, names, signal.SIGCONT)


def move_machine(campaign, clocks, names):
    """A machine that stood still while both of its clocks went on."""
    send(campaign, names, signal.SIGSTOP)
    set_wall_forward(campaign, clocks, names, MONOTONIC_STEPS, monotonic=True)
    send(campaign, names, signal.SIGCONT)


def starve(campaign, clocks, names):
    """The same in the middle of whatever they do."""
    set_wall_forward(campaign, clocks, names, MONOTONIC_STEPS, monotonic=True)


def set_wall_forward(campaign, clocks, names, steps, monotonic):
    seconds = campaign.chance.choice(steps)
    for name in names:
        clocks[name].move(wall=seconds, monotonic=seconds if monotonic else 0)


def restart(campaign, clocks, names):
    """kill -9, and a start with other clocks: the wall's anywhere, the monotonic one's from its beginning."""
    for name in names:
        campaign.kill(name)
        clocks[name].begin_anew()
    set_wall(campaign, clocks, names)
    for name in names:
        campaign.start(name)


def clock_jumps(seed, jumps=6):
    with Campaign(seed) as campaign:
        library = build_shim(campaign.home.directory)
        clocks = {}
        for name in ["broker", *campaign.worker_names]:
            clocks[name] = Clock(campaign.home.directory / f"{name}.clock")
            campaign.environments[name] = clocks[name].environment(library)
        campaign.start_all()
        wait_until(campaign.serves, "the service")
        campaign.work()
        for _ in range(jumps):
            time.sleep(campaign.chance.uniform(0.1, 0.6))
            names = campaign.chance.choice([["broker"], ["broker"], ["w0"], ["w1"], list(clocks)])
            change = campaign.chance.choice([set_wall, set_wall, suspend, move_machine, starve, restart])
            change(campaign, clocks, names)
        found = campaign.finish()
        blind = [name for name, clock in clocks.items() if clock.looks() == 0]
        return found + [f"{name} did not look at its clock: the run proves nothing" for name in blind], campaign.logs()

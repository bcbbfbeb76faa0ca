"""Faults of the disk: power cuts, a full disk, damaged files. The first two mount file systems of their own: root."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from campaign import Campaign
from harness import NOT_NOW, wait_until

IMAGE_MIB = 256
FULL_DISK_MIB = 160


def run(*command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)


@contextlib.contextmanager
def mounted(directory, *arguments):
    directory.mkdir(exist_ok=True)
    run("mount", *arguments, directory)
    try:
        yield directory
    finally:
        for _ in range(200):
            if subprocess.run(["umount", directory], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.05)


@contextlib.contextmanager
def temporary_directory():
    path = pathlib.Path(tempfile.mkdtemp(prefix="icarus-faults-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def power_cut(seed, synced=True):
    """The disk as it is at one moment, without what the operating system still held back: ext4 in a file, whose journal
    is written every 300 s, so that only what was synced is in the file; the file is copied while the broker stands still.
    Without syncs (`synced` False, the control) the same must lose what was acknowledged."""
    with temporary_directory() as place:
        image, copy = place / "image", place / "copy"
        run("truncate", "-s", f"{IMAGE_MIB}M", image)
        run("mkfs.ext4", "-q", "-F", image)
        with contextlib.ExitStack() as stack:
            disk = stack.enter_context(mounted(place / "disk", "-o", "loop,commit=300", image))
            campaign = stack.enter_context(Campaign(seed, directory=disk))
            preload = {} if synced else {"LD_PRELOAD": str(no_sync_library(place))}
            campaign.start_all({"broker": preload})
            wait_until(campaign.serves, "the service")
            os.sync()  # what `up` made is there; from now on only the broker's own syncs count
            campaign.work()
            time.sleep(campaign.chance.uniform(0.3, 1.5))
            os.kill(campaign.started["broker"].pid, signal.SIGSTOP)
            run("cp", "--sparse=always", image, copy)
            history = campaign.history.jobs()
            for name in list(campaign.started):
                campaign.kill(name)
            # The clients go on with the machine that comes back, with the acknowledgements that they had.
            run("umount", "-l", disk)
            run("mount", "-o", "loop", copy, disk)
            stack.callback(lambda: subprocess.run(["umount", disk], capture_output=True, check=False))
            campaign.start_all()
            found = campaign.finish()
            if not history:
                found.append("nothing was acknowledged before the cut: it proves nothing")
            return found, campaign.logs()


def power_cut_control(seed):
    """Syncs that do nothing have to be found out."""
    found, logs = power_cut(seed, synced=False)
    lost = [line for line in found if "is not there" in line or "not within" in line]
    return ([] if lost else ["acknowledged work was not synced, and nobody noticed"]), logs


def no_sync_library(place):
    source, library = place / "nosync.c", place / "nosync.so"
    source.write_text("int fsync(int f) { (void)f; return 0; }\nint fdatasync(int f) { (void)f; return 0; }\n"
                      "int sync_file_range(int f, long o, long n, unsigned g) { (void)f; (void)o; (void)n; (void)g; return 0; }\n")
    run("gcc", "-shared", "-fPIC", "-o", library, source)
    return library


def full_disk(seed):
    """Submissions are refused with a reason and a time, results are kept, and it goes on when there is room."""
    with temporary_directory() as place, contextlib.ExitStack() as stack:
        disk = stack.enter_context(mounted(place / "disk", "-t", "tmpfs", "-o", f"size={FULL_DISK_MIB}M", "tmpfs"))
        campaign = stack.enter_context(Campaign(seed, directory=disk))
        campaign.start_all()
        wait_until(campaign.serves, "the service")
        campaign.work()
        time.sleep(campaign.chance.uniform(0.2, 0.8))
        ballast = disk / "ballast"
        with open(ballast, "wb") as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * (1 << 20))
        refused = wait_until(lambda: submission_refused(campaign), "a refusal on the full disk", timeout=30)
        if refused.code != NOT_NOW or "retry_after_s" not in refused.error:
            campaign.violations.append(f"a full disk is answered with {refused}")
        time.sleep(campaign.chance.uniform(0.2, 1.5))
        if campaign.chance.random() < 0.3:
            campaign.kill("broker")
        ballast.unlink()
        return campaign.finish(), campaign.logs()


def submission_refused(campaign):
    campaign.history.submitting_without_a_key()
    answer = campaign.home.icarus("submit", "noop", "-o", "json", expect=None)
    return answer if answer.code not in (0, 3) else None


DAMAGES = [f"{what}-{how}" for what in ("log", "table", "list", "current") for how in ("flip", "cut", "zero")]
FILES = {"log": "[0-9]*.log", "table": "*.sst", "list": "MANIFEST-*", "current": "CURRENT"}


def damage(kind, seed):
    """A store with a damaged file is refused with a word of what is wrong, or what was acknowledged is all there."""
    what, how = kind.split("-")
    with Campaign(seed) as campaign:
        campaign.start_all()
        campaign.work()
        time.sleep(campaign.chance.uniform(0.5, 1.2))
        if campaign.chance.random() < 0.5 or what == "table":  # a start makes tables of the log
            campaign.kill("broker")
            campaign.start("broker")
            wait_until(campaign.serves, "the service")
            time.sleep(0.3)
        campaign.stopping.set()
        for client in campaign.clients:
            client.join()
        for name in list(campaign.started):
            campaign.kill(name)
        files = sorted((campaign.home.path / "store").glob(FILES[what]), key=lambda file: file.stat().st_size)
        files = [file for file in files if file.stat().st_size > 0]
        if not files:
            return [f"no file to damage: {FILES[what]}"], campaign.logs()
        spoil(campaign.chance.choice(files), how, campaign.chance)
        broker = campaign.start("broker")
        wait_until(lambda: broker.poll() is not None or campaign.serves(), "a refusal or service", timeout=30)
        if broker.poll() is None:
            return finish_or_refuse(campaign), campaign.logs()
        log = (campaign.home.directory / "broker.log").read_text(errors="replace")
        named = broker.returncode in (4, 70) and "icarus-broker:" in log.splitlines()[-1]
        return ([] if named else [f"the broker ended with {broker.returncode}: {log[-300:]}"]), campaign.logs()


def finish_or_refuse(campaign):
    """What belongs to ended jobs is not read when a broker starts: it is refused by name when it is asked for, and ends
    the broker when the store comes upon it by itself."""
    try:
        return campaign.finish()
    except AssertionError as error:
        log = (campaign.home.directory / "broker.log").read_text(errors="replace")
        if "could not be read" in str(error) and "reading results failed: the re" in log:
            return []
        if campaign.started["broker"].poll() == 70 and "ending at once: " in log:
            return []
        raise


def spoil(file, how, chance):
    data = bytearray(file.read_bytes())
    at = chance.randrange(len(data))
    if how == "flip":
        data[at] ^= 1 << chance.randrange(8)
    elif how == "cut":
        del data[at:]
    else:
        size = min(len(data) - at, chance.choice([1, 512, 4096]))
        data[at:at + size] = bytes(size)
    file.write_bytes(data)

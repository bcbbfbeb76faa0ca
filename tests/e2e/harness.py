"""Drives the built programs the way a user does: a home of its own, real processes, real sockets, kill -9.

ICARUS_BIN selects the directory of the programs (default build/bin). ICARUS_E2E_LONG=1 runs the long versions.
ICARUS_E2E_SLOW stretches every deadline (default 1; sanitized programs want 3 or more).

Nothing here sleeps and hopes: what must happen is waited for with a deadline, and every test ends by checking that no
process of its home is left.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("ICARUS_BIN", ROOT / "build" / "bin")).resolve()
LONG = os.environ.get("ICARUS_E2E_LONG") == "1"
SLOW = float(os.environ.get("ICARUS_E2E_SLOW", "1"))

# Exit codes of the command line.
DONE, INCOMPLETE, USAGE, NO_BROKER, REFUSED, NOT_YET, NOT_NOW, INTERNAL = 0, 1, 2, 3, 4, 5, 6, 70


def wait_until(condition, what, timeout=20.0):
    """The first true value of `condition`, looked at every 10 ms until the deadline."""
    deadline = time.monotonic() + timeout * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout * SLOW:g} s")
        time.sleep(0.01)


class Run:
    """A finished command."""

    def __init__(self, arguments, code, out, err, seconds):
        self.arguments, self.code, self.out, self.err, self.seconds = arguments, code, out, err, seconds

    @property
    def json(self):
        try:
            return json.loads(self.out)
        except ValueError as error:
            raise AssertionError(f"no JSON on stdout ({error}): {self}") from None

    @property
    def error(self):
        return self.json["error"]

    def __str__(self):
        return (f"{' '.join(map(str, self.arguments))}: exit {self.code} after {self.seconds:.2f} s\n"
                f"stdout: {self.out[-3000:]}\nstderr: {self.err[-3000:]}")


class Process:
    def __init__(self, pid, name, parent, command):
        self.pid, self.name, self.parent, self.command = pid, name, parent, command

    def kill(self, number=signal.SIGKILL):
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            pass

    def __repr__(self):
        return f"{self.pid} {self.name} ({' '.join(self.command)[:120]})"


def read_bytes(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def read_link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


def stat_of(pid):
    """(state, parent) of a process, or None when it is gone."""
    text = read_bytes(f"/proc/{pid}/stat").decode(errors="replace")
    if not text:
        return None
    fields = text[text.rindex(")") + 2:].split()
    return fields[0], int(fields[1])


def resident_mb(pid):
    for line in read_bytes(f"/proc/{pid}/status").decode().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"process {pid} is gone")


class Home:
    """An ICARUS_HOME in a temporary directory, with everything that the programs may write below it."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="icarus-e2e-"))
        self.path = self.directory / "home"
        self.sockets = self.directory / "tmp"
        for name in ("tmp", "user", "work"):
            (self.directory / name).mkdir(mode=0o700)
        self.environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8", "HOME": str(self.directory / "user"),
            "TMPDIR": str(self.sockets), "ICARUS_HOME": str(self.path), "NO_COLOR": "1",
        }
        for name, value in os.environ.items():
            if name.endswith("SAN_OPTIONS"):
                self.environment[name] = value

    # --- programs

    def start(self, program, *arguments, **options):
        """Starts a program and leaves it running; the caller waits for it."""
        options.setdefault("stdin", subprocess.DEVNULL)
        environment = dict(self.environment, **options.pop("environment", {}))
        return subprocess.Popen([str(BIN / program), *map(str, arguments)], env=environment,
                                cwd=options.pop("cwd", self.directory / "work"), **options)

    def program(self, program, *arguments, stdin="", timeout=60, environment=None, cwd=None):
        begin = time.monotonic()
        process = self.start(program, *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, environment=environment or {},
                             cwd=cwd or self.directory / "work")
        try:
            out, err = process.communicate(stdin.encode(), timeout * SLOW)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError("no end: " + str(Run([program, *arguments], None, out.decode(errors="replace"),
                                                      err.decode(errors="replace"), timeout * SLOW))) from None
        return Run([program, *arguments], process.returncode, out.decode(errors="replace"),
                   err.decode(errors="replace"), time.monotonic() - begin)

    def icarus(self, *arguments, expect=DONE, **options):
        """Runs `icarus …`. `expect`: the exit code, several, or None for any."""
        run = self.program("icarus", *arguments, **options)
        codes = expect if isinstance(expect, (tuple, set, list)) else (expect,)
        if expect is not None and run.code not in codes:
            raise AssertionError(f"expected exit {expect}: {run}")
        return run

    def json(self, *arguments, **options):
        """The JSON document that `icarus … -o json` prints."""
        return self.icarus(*with_json(arguments), **options).json

    def up(self, workers=1, *arguments):
        return self.icarus("up", "--workers", workers, *arguments)

    def down(self, *arguments):
        return self.icarus("down", *arguments)

    # --- what runs here

    def processes(self, name=None):
        """Every process that was started by, or works in, this home; solvers with a scrubbed environment too."""
        mark = str(self.directory).encode()
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            base = f"/proc/{entry}"
            if not (mark in read_bytes(base + "/environ") or mark in read_bytes(base + "/cmdline") or
                    str(self.directory) in read_link(base + "/cwd")):
                continue
            status = stat_of(entry)
            if status is None or status[0] == "Z":
                continue
            command = read_bytes(base + "/cmdline").decode(errors="replace").rstrip("\0").split("\0")
            process = Process(int(entry), os.path.basename(read_link(base + "/exe")), status[1], command)
            if name is None or process.name == name:
                found.append(process)
        return found

    def kill_broker(self):
        """SIGKILL, until it is gone."""
        broker = self.broker()
        broker.kill()
        wait_until(lambda: not os.path.exists(f"/proc/{broker.pid}"), "the end of the broker")

    def restart_after_kill(self, workers):
        """Another broker on what the killed one has left."""
        self.kill_broker()
        self.up(workers)

    def broker(self):
        brokers = self.processes("icarus-broker")
        return brokers[0] if brokers else None

    def workers(self):
        """The worker processes themselves, without their launchers and what those started."""
        workers = self.processes("icarus-worker")
        pids = {process.pid for process in workers}
        return [process for process in workers if process.parent not in pids]

    def ipc_sockets(self):
        """Paths of the sockets that listen below this home's directories."""
        paths = set()
        for line in read_bytes("/proc/net/unix").decode(errors="replace").splitlines()[1:]:
            fields = line.split()
            if len(fields) == 8 and fields[7].startswith(str(self.directory)) and fields[3] == "00010000":
                paths.add(fields[7])
        return sorted(paths)

    def close(self):
        """Ends everything; returns the processes that outlived an orderly `down`."""
        left = []
        if BIN.joinpath("icarus").exists() and self.processes():
            try:
                self.program("icarus", "down", "--drain", "1s", timeout=30)
            except AssertionError as error:
                print(error, file=sys.stderr)
            try:
                wait_until(lambda: not self.processes(), "the end of all processes", timeout=5)
            except AssertionError:
                left = self.processes()
        while self.processes():
            for process in self.processes():
                process.kill()
            time.sleep(0.01)
        subprocess.run(["chmod", "-R", "u+rwX", str(self.directory)], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)
        return left

    # --- jobs

    def submit(self, *arguments, **options):
        """The job number of a submission."""
        return self.json("submit", *arguments, **options)["job"]

    def job(self, number):
        return self.json("show", number)

    def wait(self, number, timeout=60, expect=DONE):
        self.icarus("wait", number, "--timeout", f"{int(timeout * SLOW)}s", expect=expect, timeout=timeout + 10)
        return self.job(number)

    def wait_state(self, number, *states, timeout=20):
        return wait_until(lambda: self.job(number)["state"] in states and self.job(number),
                          f"job {number} in {'/'.join(states)}", timeout)

    def logs_of_programs(self):
        """The last lines of every log in the home, for the report of a failed test."""
        parts = []
        for log in sorted(self.path.rglob("*.log")):
            parts.append(f"--- {log}\n{read_bytes(log).decode(errors='replace')[-2000:]}")
        return "\n".join(parts)


def with_options(arguments, *options):
    """`options` at the end of those that are there: before `--`, if there is one."""
    arguments = list(map(str, arguments))
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at] + list(options) + arguments[at:]


def with_json(arguments):
    return with_options(arguments, "-o", "json")


class IcarusTest(unittest.TestCase):
    """A test with a home of its own. `workers`: how many are started before each test; None: nothing is."""

    workers = None
    longMessage = True

    def setUp(self):
        self.home = Home()
        self.addCleanup(self.close_home)
        if self.workers is not None:
            self.home.up(self.workers)

    def close_home(self):
        if not getattr(self._outcome, "success", True):
            print(self.home.logs_of_programs(), file=sys.stderr)
        left = self.home.close()
        self.assertEqual(left, [], "processes outlived `icarus down`")

    def assert_error(self, run, code, *words, field=None):
        """One line on stderr and one JSON object on stdout, each with every word; never a stack trace."""
        self.assertEqual(run.code, code, str(run))
        error = run.error
        for word in words:
            self.assertIn(word.lower(), error["message"].lower(), str(run))
        self.assertNotIn("\n", error["message"].strip(), str(run))
        if field is not None:
            self.assertEqual(error.get("field"), field, str(run))

    def refused(self, code, *arguments, words=(), field=None, **options):
        """Runs `icarus … -o json` that must be refused."""
        run = self.home.icarus(*with_json(arguments), expect=None, **options)
        self.assert_error(run, code, *words, field=field)
        return run


def main():
    unittest.main(verbosity=2)

"""A broker and workers of our own, clients that work on them, and faults between: one round of a fault run."""
import contextlib
import json
import os
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness  # noqa: E402
from harness import wait_until  # noqa: E402
from history import FINAL, History, Submission, check, check_rows  # noqa: E402

CRASHED = 86  # the exit code of a crash point
END_S = 90  # everything has to come to its end within this time after the last fault
REYNOLDS = [2e5, 3e5, 5e5, 7e5, 1e6, 2e6]


class Campaign:
    """`with Campaign(seed) as campaign:` starts nothing; the fault decides how."""

    ACTIONS = ("noop", "command", "command", "large", "polar", "failing", "after", "cancel", "look", "look")

    def __init__(self, seed, directory=None, workers=2):
        self.chance = random.Random(seed)
        self.home = harness.Home()
        if directory is not None:
            self.home.path = pathlib.Path(directory) / "home"
            self.home.environment["ICARUS_HOME"] = str(self.home.path)
        self.marks = self.home.directory / "marks"
        self.marks.mkdir()
        config = self.home.directory / "config.toml"
        config.write_text("[worker]\nlost_after_seconds = 2\n")
        self.home.environment["ICARUS_CONFIG"] = str(config)
        self.worker_names = [f"w{i}" for i in range(workers)]
        self.history = History()
        self.started = {}  # name -> Popen
        self.environments = {}  # name -> of each of its starts
        self.arguments = {}  # name -> further ones of each of its starts
        self.reach = []  # the options with which clients find the broker
        self.stopping = threading.Event()
        self.clients = []
        self.serial = 0
        self.lock = threading.Lock()
        self.violations = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for process in self.home.processes():
            with contextlib.suppress(OSError):
                os.kill(process.pid, 18)
        for client in self.clients:
            client.join()
        self.home.close()
        for process in self.started.values():
            process.wait()

    # --- programs

    def start(self, name, environment=None):
        """The broker, or a worker by name. Returns at once. `environment`: of this start alone."""
        program = "icarus-broker" if name == "broker" else "icarus-worker"
        arguments = [] if name == "broker" else ["--name", name, "--cpus", "2"]
        arguments += self.arguments.get(name, [])
        environment = {**self.environments.get(name, {}), **(environment or {})}
        self.home.path.mkdir(parents=True, exist_ok=True)
        with open(self.home.directory / f"{name}.log", "ab") as log:
            self.started[name] = self.home.start(program, *arguments, environment=environment, stdout=log, stderr=log,
                                                 start_new_session=True)
        return self.started[name]

    def start_all(self, environments=None):
        for name in ["broker", *self.worker_names]:
            if self.ended(name):
                self.start(name, (environments or {}).get(name))

    def ended(self, name):
        return name not in self.started or self.started[name].poll() is not None

    def kill(self, name):
        if not self.ended(name):
            self.started[name].kill()
            self.started[name].wait()

    def access(self):
        """What the broker that runs has written of itself, as soon as it has."""
        def written():
            with contextlib.suppress(OSError, ValueError):
                access = json.loads((self.home.path / "access.json").read_text())
                return access if access["pid"] == self.started["broker"].pid else None
        return wait_until(written, "the broker's access file")

    def serves(self):
        return self.home.icarus("list", "-o", "json", expect=None).code == harness.DONE

    # --- clients

    def key(self, kind):
        with self.lock:
            self.serial += 1
            return f"{kind}-{self.serial}"

    def work(self, count=2):
        """Clients that submit, cancel and look until `finish`."""
        for number in range(count):
            thread = threading.Thread(target=self.client, args=(random.Random(self.chance.random() + number),))
            thread.start()
            self.clients.append(thread)

    def client(self, chance):
        while not self.stopping.is_set():
            action = chance.choice(self.ACTIONS)
            try:
                getattr(self, "do_" + action)(chance)
            except (AssertionError, ValueError, KeyError) as error:
                if not self.stopping.is_set():
                    self.violations.append(f"{action}: {str(error)[:300]}")

    def ask(self, *arguments):
        """What `icarus …` answers; None where it could not, for which there are reasons enough in a fault run."""
        arguments = harness.with_options(arguments, *self.reach)
        run = self.home.icarus(*harness.with_json(arguments), expect=None, timeout=60)
        if run.code in (harness.DONE, harness.INCOMPLETE):
            return run.json
        if run.code in (harness.NO_BROKER, harness.NOT_NOW, harness.REFUSED, harness.NOT_YET):
            return None
        raise AssertionError(f"an unexpected end: {run}")

    def submit(self, submission, *arguments):
        """Until it is acknowledged or everything ends: the same key every time."""
        self.history.submitting(submission)
        while not self.stopping.is_set():
            answer = self.ask("submit", *harness.with_options(arguments, "--id", submission.key))
            if answer is not None:
                self.history.submitted(submission.key, answer["job"])
                return
            time.sleep(0.02)

    def do_noop(self, chance):
        tasks = chance.randint(1, 40)
        submission = Submission(self.key("noop"), "noop", tasks, {}, None)
        self.submit(submission, "noop", "--sweep", f"i=1:{tasks}:1" if tasks > 1 else "i=1")

    def do_command(self, chance, after=None):
        tasks = chance.randint(1, 4)
        key = self.key("command")
        values = {i: f"value {key} {i + 1}" for i in range(tasks)}
        sweep = f"i=1:{tasks}:1" if tasks > 1 else "i=1"
        more = [] if after is None else ["--after", str(after)]
        script = f"echo x >> {self.marks}/{key}.{{i}}; sleep 0.0{chance.randint(0, 9)}; echo value {key} {{i}}"
        self.submit(Submission(key, "command", tasks, values, after), "command", "--sweep", sweep, "--retries", "50", *more,
                    "--", "sh", "-c", script)

    def do_large(self, chance, size=400_000):
        """Outputs of several chunks, which travel as files. The key of the submission."""
        key, tasks = self.key("large"), chance.randint(1, 2)
        values = {i: f"{'a' * size}\nvalue {key} {i + 1}" for i in range(tasks)}
        output = f"head -c {size} /dev/zero | tr '\\0' a; echo; echo value {key} {{i}}"
        script = f"echo x >> {self.marks}/{key}.{{i}}; {output}"
        self.submit(Submission(key, "command", tasks, values, None), "command", "--sweep",
                    f"i=1:{tasks}:1" if tasks > 1 else "i=1", "--retries", "50", "--", "sh", "-c", script)
        return key

    def do_polar(self, chance):
        reynolds = sorted(chance.sample(REYNOLDS, 2))
        submission = Submission(self.key("polar"), "polar", 2, {}, None)
        self.submit(submission, "airfoil_polar", "--solver", "panel", "--target", "naca2412", "--sweep",
                    "reynolds=" + ",".join(f"{one:g}" for one in reynolds), "-p", "aoa=0:4:2", "--retries", "50")

    def do_failing(self, chance):
        self.submit(Submission(self.key("failing"), "failing", 1, {}, None), "command", "--", "sh", "-c",
                    f"exit {chance.randint(1, 9)}")

    def do_after(self, chance):
        jobs = [job for key, job in self.history.jobs().items() if not key.startswith("failing")]
        if jobs:
            self.do_command(chance, after=chance.choice(jobs[-5:]))

    def do_cancel(self, chance):
        jobs = list(self.history.jobs().values())
        if not jobs or chance.random() < 0.7:
            return
        job = chance.choice(jobs[-3:])
        self.history.cancelling(job)
        self.ask("cancel", str(job))

    def do_look(self, _):
        answer = self.ask("list", "--limit", "1000")
        for job in answer or []:
            self.history.saw(job["job"], job["state"])
        time.sleep(0.02)

    # --- the end

    def finish(self):
        """No more faults: everything has to run, to end, and to agree with what was told."""
        self.stopping.set()
        for client in self.clients:
            client.join()
        self.start_all()
        try:
            wait_until(self.serves, "the broker's service", timeout=30)
            wait_until(self.all_ended, "the end of every job", timeout=END_S)
        except AssertionError as error:
            return self.violations + [f"{error}; not ended: {self.open_jobs()}"]
        return self.violations + self.check()

    def jobs(self):
        return {job["job"]: job for job in self.home.json("list", "--limit", "100000")}

    def open_jobs(self):
        with contextlib.suppress(AssertionError):
            return {number: job["tasks"] for number, job in self.jobs().items() if job["state"] not in FINAL}
        return "unknown"

    def all_ended(self):
        self.start_all()
        return all(job["state"] in FINAL for job in self.jobs().values())

    def check(self):
        jobs = self.jobs()
        tasks = {job: self.home.json("show", str(job), "--limit", "1000")["items"] for job in jobs}
        values = {}
        by_job = {job: self.history.sent[key] for key, job in self.history.jobs().items()}
        for job, submission in by_job.items():
            for one in tasks.get(job, []):
                index = int(one["task"].split(".")[1])
                if submission.kind == "command" and one["state"] == "completed":
                    values[(job, index)] = self.home.icarus("logs", one["task"]).out.strip()
        wrong = check(self.history, jobs, tasks, values, self.runs())
        return wrong + self.check_polars(by_job, tasks)

    def check_polars(self, by_job, tasks):
        """Equal parameters, equal rows: computed, joined or from the cache."""
        rows = []
        for job, submission in by_job.items():
            if submission.kind != "polar" or not tasks.get(job) or any(one["state"] != "completed" for one in tasks[job]):
                continue
            for one in self.home.json("result", str(job))["results"]:
                rows.append((one["task"], one["params"]["reynolds"], one["rows"]))
        return check_rows(rows)

    def runs(self):
        """(key, index) -> how often the program of that task began."""
        counts = {}
        for mark in self.marks.iterdir():
            key, number = mark.name.rsplit(".", 1)
            counts[(key, int(number) - 1)] = len(mark.read_text().split())
        return counts

    def logs(self):
        parts = []
        for log in sorted(self.home.directory.glob("*.log")):
            parts.append(f"--- {log.name}\n" + log.read_text(errors="replace")[-3000:])
        return "\n".join(parts)

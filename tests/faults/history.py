"""What clients were told, in order; and whether what the system says in the end agrees with it.

The checker knows nothing of the broker but what its users do: submissions that were acknowledged, final states that were
shown, results that were printed. It reads histories and answers; it asks no log and no store.
"""
import collections
import threading

FINAL = ("completed", "failed", "timed_out", "cancelled")

Submission = collections.namedtuple("Submission", "key kind tasks values after")


class History:
    """Filled by many threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent = {}  # key -> Submission
        self.acknowledged = {}  # key -> job
        self.cancel_sent = set()  # jobs whose cancel was asked for, whatever the answer
        self.shown = {}  # job -> the final state that somebody saw first
        self.strangers = 0  # submissions without a key, each of which may be one job more
        self.contradictions = []

    def submitting(self, submission):
        with self.lock:
            self.sent[submission.key] = submission

    def submitted(self, key, job):
        with self.lock:
            before = self.acknowledged.setdefault(key, job)
            if before != job:
                self.contradictions.append(f"the id {key} was job {before} and is now job {job}")

    def submitting_without_a_key(self):
        with self.lock:
            self.strangers += 1

    def cancelling(self, job):
        with self.lock:
            self.cancel_sent.add(job)

    def saw(self, job, state):
        if state not in FINAL:
            return
        with self.lock:
            before = self.shown.setdefault(job, state)
            if before != state:
                self.contradictions.append(f"job {job} was shown as {before}, then as {state}")

    def jobs(self):
        with self.lock:
            return dict(self.acknowledged)


def check(history, jobs, tasks, values, runs):
    """The violations, a line each.

    jobs: job -> its object as `icarus list` has it at the end. tasks: job -> the tasks of `icarus show`. values: task ->
    what its result says. runs: task key -> how often its program left a mark.
    """
    wrong = list(history.contradictions)
    by_job = {job: history.sent[key] for key, job in history.acknowledged.items()}
    for key, job in sorted(history.acknowledged.items(), key=lambda item: item[1]):
        if job not in jobs:
            wrong.append(f"job {job} ({key}) was acknowledged and is not there")
    if len(set(history.acknowledged.values())) != len(history.acknowledged):
        wrong.append("two submissions became one job")
    wrong += check_strangers(history, by_job, jobs)
    for job, shown in jobs.items():
        submission = by_job.get(job)
        if submission is None:
            continue  # sent, its answer lost, and its client gone
        wrong += check_job(history, job, submission, shown, tasks.get(job, []), may_be_cancelled(history, by_job, job))
    for task, value in values.items():
        job, index = task
        if job in by_job and value != by_job[job].values[index]:
            wrong.append(f"task {job}.{index} says {brief(value)}, but must say {brief(by_job[job].values[index])}")
    for job, submission in by_job.items():
        for one in tasks.get(job, []):
            index = int(one["task"].split(".")[1])
            if submission.kind == "command" and one["state"] == "completed" and runs.get((submission.key, index), 0) < 1:
                wrong.append(f"task {job}.{index} is completed and never ran")
    return wrong


def brief(value):
    return repr(value) if len(value) < 100 else f"{len(value)} bytes that end in {value[-40:]!r}"


def check_strangers(history, by_job, jobs):
    """Jobs that nobody was told of: no more than there are submissions whose acknowledgement was lost."""
    strangers = sorted(set(jobs) - set(by_job))
    allowed = len(history.sent) - len(history.acknowledged) + history.strangers
    return [f"jobs {strangers} are there, and only {allowed} can be"] if len(strangers) > allowed else []


def check_rows(rows):
    """rows: (task, parameters, rows of its result) of completed tasks."""
    first, wrong = {}, []
    for task, parameters, own in rows:
        if first.setdefault(parameters, own) != own:
            wrong.append(f"task {task} has other rows than an equal task")
        if not own:
            wrong.append(f"task {task} is completed and has no rows")
    return wrong


def may_be_cancelled(history, by_job, job):
    """Whether a cancel was asked for of one that it waits for, or of one that that waits for."""
    while job is not None and job in by_job:
        job = by_job[job].after
        if job in history.cancel_sent:
            return True
    return False


def check_job(history, job, submission, shown, tasks, upstream_cancelled):
    wrong = []
    counts = shown["tasks"]
    if counts["total"] != submission.tasks:
        wrong.append(f"job {job} has {counts['total']} tasks, and {submission.tasks} were submitted")
    if sum(counts[state] for state in FINAL) != counts["total"]:
        wrong.append(f"job {job} has not ended: {counts}")
    if shown["state"] in FINAL and history.shown.get(job, shown["state"]) != shown["state"]:
        wrong.append(f"job {job} was shown as {history.shown[job]} and is {shown['state']} in the end")
    if len(tasks) != len({one["task"] for one in tasks}):
        wrong.append(f"job {job} shows a task twice")
    states = collections.Counter(one["state"] for one in tasks)
    if any(states[state] != counts[state] for state in FINAL):
        wrong.append(f"job {job} counts {counts}, and its tasks are {dict(states)}")
    allowed = {"failing": {"failed"}}.get(submission.kind, {"completed"})
    if job in history.cancel_sent:
        allowed = allowed | {"cancelled"}
    if upstream_cancelled:
        allowed = allowed | {"failed"}  # dependency_failed
    for one in tasks:
        if one["state"] not in allowed:
            wrong.append(f"task {one['task']} ({submission.kind}) is {one['state']}: {one.get('error')}")
    return wrong

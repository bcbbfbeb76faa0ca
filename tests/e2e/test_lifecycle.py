#!/usr/bin/python3
"""Jobs over their whole life: they wait for others, are tried again with their history kept, outlive the broker and a
worker that sleeps past its lease, and say why they are where they are."""
import json
import os
import shutil
import signal
import subprocess
import time

import harness
from harness import INCOMPLETE, LONG, NOT_NOW, REFUSED, wait_until


class WaitingTest(harness.IcarusTest):
    workers = 2

    def test_a_chain_runs_in_order(self):
        marks = os.path.join(self.home.path, "marks")
        mark = lambda text: ("--", "sh", "-c", f"echo {text} >> {marks}")
        first = self.home.submit("command", *mark("one"))
        second = self.home.submit("command", "--after", first, *mark("two"))
        third = self.home.submit("command", "--after", f"{first},{second}", *mark("three"))
        self.home.wait(third)
        with open(marks, encoding="utf-8") as file:
            self.assertEqual(["one", "two", "three"], file.read().split())

    def test_what_waited_for_a_failure_fails_and_comes_back_with_its_retry(self):
        gate = os.path.join(self.home.path, "gate")
        first = self.home.submit("command", "--", "test", "-e", gate)
        second = self.home.submit("command", "--after", first, "--", "true")
        any_end = self.home.submit("command", "--after-any", first, "--", "true")
        self.home.wait(second, expect=INCOMPLETE)
        self.home.wait(any_end)
        failure = self.home.job(second)["failures"][0]
        self.assertEqual("dependency_failed", failure["kind"])
        self.assertIn(f"job {first}", failure["message"])
        open(gate, "w", encoding="utf-8").close()
        self.home.icarus("retry", first)
        self.assertEqual("completed", self.home.wait(second)["state"])

    def test_a_cancelled_job_fails_what_waits_for_it(self):
        first = self.home.submit("noop", "-p", "sleep_s=60")
        second = self.home.submit("noop", "--after", first)
        self.assertEqual("waiting", self.home.job(second)["state"])
        self.assertIn(f"job {first}", self.home.json("explain", f"{second}.0")["explanation"])
        self.home.icarus("cancel", first)
        self.home.wait(second, expect=INCOMPLETE)

    def test_an_input_that_another_task_is_still_making(self):
        make = self.home.submit("command", "--output", "out/*.msh", "--", "sh", "-c",
                                "sleep 1; mkdir out; echo nodes > out/wing.msh")
        use = self.home.submit("command", "--input", f"{make}.0:out/wing.msh=mesh.msh", "--", "cat", "mesh.msh")
        lacks = self.home.submit("command", "--input", f"{make}.0:out/tail.msh=mesh.msh", "--", "cat", "mesh.msh")
        self.assertEqual("waiting", self.home.job(use)["state"])
        self.home.wait(use)
        self.assertEqual("nodes\n", self.home.icarus("logs", f"{use}.0").out)
        self.home.wait(lacks, expect=INCOMPLETE)
        failure = self.home.job(lacks)["failures"][0]
        self.assertEqual("dependency_failed", failure["kind"])
        self.assertIn("out/tail.msh", failure["message"])

    def test_a_job_that_is_not_there_cannot_be_waited_for(self):
        self.refused(REFUSED, "submit", "noop", "--after", 4711, words=["4711"])

    def test_a_delayed_start(self):
        run = self.home.icarus("submit", "noop", "--delay", "1.5s", "--wait", timeout=30)
        self.assertGreater(run.seconds, 1.4)


class RetryTest(harness.IcarusTest):
    workers = 1

    def test_a_retry_keeps_the_history(self):
        gate = os.path.join(self.home.path, "gate")
        script = f"echo trying; echo oops >&2; test -e {gate}"
        job = self.home.submit("command", "--", "sh", "-c", script)
        self.home.wait(job, expect=INCOMPLETE)
        open(gate, "w", encoding="utf-8").close()
        self.home.icarus("retry", job)
        self.home.wait(job)
        task = self.home.json("show", f"{job}.0")
        self.assertEqual(("completed", 2), (task["state"], task["attempt"]))
        ended = task["history"]
        self.assertEqual(1, len(ended))
        self.assertEqual(("nonzero_exit", 1), (ended[0]["error"]["kind"], ended[0]["error"]["exit_code"]))
        self.assertEqual("oops\n", ended[0]["output_tail"])
        self.assertIn("attempts that ended", self.home.icarus("show", f"{job}.0").out)

    def test_wait_tells_what_has_ended_whatever_the_timeout(self):
        job = self.home.submit("noop")
        self.home.wait(job)
        self.home.icarus("wait", job, "--timeout", "0")


class ExplainTest(harness.IcarusTest):
    def explain(self, task):
        answer = self.home.json("explain", task)
        return answer["kind"], answer["explanation"]

    def test_each_reason(self):
        self.home.up(0)
        lonely = self.home.submit("noop")
        self.assertEqual("no_worker", self.explain(f"{lonely}.0")[0])
        self.home.up(1, "--cpus", "1")
        self.home.wait(lonely)
        unknown = self.home.submit("airfoil_polar", "--solver", "xfoil@0.1+00000000", "--target", "naca0012",
                                   "-p", "reynolds=1e6")
        self.assertEqual("no_solver", self.explain(unknown)[0])
        wide = self.home.submit("noop", "--cpus", "64")
        kind, text = self.explain(wide)
        self.assertEqual("unsatisfiable", kind)
        self.assertIn("64 CPUs", text)
        busy = self.home.submit("command", "--", "sleep", "600")
        wait_until(lambda: self.explain(busy)[0] == "running", "the command to start")
        queued = self.home.submit("command", "--sweep", "n=1:5:1", "--", "echo", "{n}")
        kind, text = self.explain(f"{queued}.3")
        self.assertEqual("queued", kind)
        self.assertIn("behind 3 other tasks", text)
        self.home.icarus("cancel", busy)
        self.home.wait(queued)
        self.assertIn("only with --cache", self.explain(queued)[1])


class LeaseTest(harness.IcarusTest):
    def completed_at(self, job):
        return self.home.json("show", f"{job}.0")

    def test_a_long_command_survives_the_broker_and_is_one_attempt(self):
        seconds, killed_at, back_at = (300, 10, 40) if LONG else (12, 2, 5)
        self.home.up(1)
        job = self.home.submit("command", "--", "sleep", seconds)
        begin = time.monotonic()
        wait_until(lambda: self.home.job(job)["state"] == "running", "the start")
        time.sleep(max(0, begin + killed_at - time.monotonic()))
        self.home.broker().kill()
        time.sleep(max(0, begin + back_at - time.monotonic()))
        self.home.up(1)
        if LONG:
            self.home.down("--broker")
            self.home.up(1)
        self.home.wait(job, timeout=seconds + 60)
        task = self.completed_at(job)
        self.assertEqual(("completed", 1), (task["state"], task["attempt"]))
        self.assertNotIn("history", task)

    def test_a_worker_that_sleeps_past_its_lease_is_replaced_and_refused(self):
        self.home.up(2, "--cpus", "2")
        self.home.icarus("config", "set", "worker.lost_after_seconds", "2")
        job = self.home.submit("command", "--", "sh", "-c", "sleep 4; echo $ICARUS_ATTEMPT")
        wait_until(lambda: self.home.job(job)["state"] == "running", "the start")
        name = self.home.json("show", f"{job}.0")["worker"]
        pid = next(worker["pid"] for worker in self.home.json("workers") if worker["name"] == name)
        os.kill(pid, signal.SIGSTOP)
        try:
            self.assertEqual("completed", self.home.wait(job, timeout=60)["state"])
            task = self.home.json("show", f"{job}.0")
            self.assertNotEqual(name, task["worker"])
            self.assertEqual((2, "worker_lost"), (task["attempt"], task["history"][0]["error"]["kind"]))
        finally:
            os.kill(pid, signal.SIGCONT)
        wait_until(lambda: any(w["name"] == name and w["state"] == "active" for w in self.home.json("workers")),
                   "the sleeper to be back")
        self.assertEqual("2", self.home.icarus("logs", f"{job}.0").out.strip(), "the late result was refused")


class EventsTest(harness.IcarusTest):
    workers = 1

    def events(self, *arguments):
        return [json.loads(line) for line in self.home.icarus("events", *arguments).out.splitlines()]

    def test_the_life_of_a_job_is_there_over_a_restart(self):
        job = self.home.submit("command", "--sweep", "i=1:3:1", "--", "sleep", "0.1")
        self.home.wait(job)
        kinds = lambda: [event["kind"] for event in self.events() if event.get("job") == job]
        wait_until(lambda: kinds()[-1:] == ["job_finished"], "the end to be told")
        self.assertEqual("job_submitted", kinds()[0])
        self.assertEqual((3, 3), (kinds().count("task_started"), kinds().count("task_completed")))
        before = self.events()
        numbers = [event["seq"] for event in before]
        self.assertEqual(sorted(set(numbers)), numbers)
        self.home.broker().kill()
        self.home.up(1)
        wait_until(lambda: self.events("--after", numbers[-1]), "the restart to be told")
        after = self.events()
        self.assertEqual(before, after[:len(before)])
        self.assertEqual("broker_started", after[len(before)]["kind"])

    def test_they_can_be_followed(self):
        follower = self.home.start("icarus", "events", "--follow", stdout=subprocess.PIPE)
        job = self.home.submit("noop")
        while True:
            event = json.loads(follower.stdout.readline())
            if event["kind"] == "job_finished":
                break
        self.assertEqual(job, event["job"])
        follower.send_signal(signal.SIGINT)
        self.assertEqual(130, follower.wait(timeout=20))
        follower.stdout.close()


class OverloadTest(harness.IcarusTest):
    workers = 1

    def test_a_full_queue_refuses_with_a_time_and_who_waits_anyway_is_served_later(self):
        self.home.icarus("config", "set", "limits.pending_tasks", "5")
        busy = self.home.submit("noop", "--sweep", "i=0:4:1", "-p", "sleep_s=60")
        run = self.refused(NOT_NOW, "submit", "noop", words=["limits.pending_tasks"])
        self.assertGreater(run.error["retry_after_s"], 0)
        patient = self.home.start("icarus", "submit", "noop", "--wait", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = patient.stderr.readline().decode()
        self.assertIn("trying again", said)
        self.home.icarus("cancel", busy)
        patient.communicate(timeout=60)
        self.assertEqual(0, patient.returncode)

    def test_the_other_limits(self):
        self.home.icarus("config", "set", "limits.tasks_per_job", "5")
        self.refused(REFUSED, "submit", "noop", "--sweep", "i=0:5:1", words=["limits.tasks_per_job"])
        self.home.icarus("config", "set", "limits.memory_mb", "1")
        refused = lambda: "limits.memory_mb" in self.home.icarus("submit", "noop", expect=None).err
        wait_until(refused, "the memory limit")


class OldCopyTest(harness.IcarusTest):
    def wait_for_heartbeat(self):
        silences = [self.home.json("workers")[0]["last_seen_s"]]

        def beats():
            silences.append(self.home.json("workers")[0]["last_seen_s"])
            return silences[-1] < silences[-2]
        wait_until(beats, "a heartbeat")

    def test_a_broker_on_an_older_copy_of_its_store_changes_nothing(self):
        self.home.up(1)
        first = self.home.submit("noop", "--wait")
        self.home.wait(self.home.submit("airfoil_polar", "--target", "naca0012", "--solver", "panel",
                                        "-p", "reynolds=1e6", "-p", "aoa=0"))
        exported = self.home.directory / "exported"
        self.home.icarus("cache", "export", exported)
        self.home.down("--broker")
        copy = self.home.directory / "copy"
        shutil.copytree(self.home.path / "store", copy)
        self.home.up(1)
        for _ in range(5):
            self.home.submit("noop", "--wait")
        self.wait_for_heartbeat()  # its answer says how far the store is
        self.wait_for_heartbeat()
        worker = self.home.json("workers")[0]["pid"]
        self.home.down("--broker")
        shutil.rmtree(self.home.path / "store")
        shutil.copytree(copy, self.home.path / "store")
        self.home.up(1)
        older = lambda: "older copy" in self.home.icarus("cancel", first, expect=None).err
        wait_until(older, "the worker to tell what it has seen")
        self.assertEqual("completed", self.home.job(first)["state"], "questions are answered")
        self.refused(NOT_NOW, "submit", "noop", words=["older copy", "--salvage"])
        for change in (("import", exported), ("remove", "--analysis", "airfoil_polar"), ("clear",)):
            self.refused(NOT_NOW, "cache", *change, words=["older copy"])
        self.assertEqual(1, self.home.json("cache", "stats")["entries"])
        self.assertIn(worker, [process.pid for process in self.home.workers()], "the worker goes on")


if __name__ == "__main__":
    harness.main()

#!/usr/bin/python3
"""Jobs over their whole life: they wait for others, are tried again with their history kept, outlive the broker and a
worker that sleeps past its lease, and say why they are where they are."""
import os
import signal
import time

import harness
from harness import INCOMPLETE, LONG, REFUSED, wait_until


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


if __name__ == "__main__":
    harness.main()

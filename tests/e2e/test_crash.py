#!/usr/bin/python3
"""kill -9 of the broker, a worker, the solver, or everything, at random moments of a sweep: nothing is lost or doubled."""
import os
import random
import shutil
import time
import unittest

import harness
from harness import LONG, wait_until

MOMENTS = 10 if LONG else 3
SEED = int(os.environ.get("ICARUS_E2E_SEED", "20260101"))
SWEEP = ("airfoil_polar", "--solver", "xfoil", "--target", "naca2412", "--sweep", "reynolds=2e5:1.38e6:2e4",
         "-p", "aoa=-2:4:1", "--retries", "20")


class CrashTest(harness.IcarusTest):

    def victims(self, what):
        if what == "broker":
            return [self.home.broker()]
        if what == "worker":
            return self.home.workers()[:1]
        if what == "solver":
            return self.home.processes("xfoil")[:1]
        return self.home.processes()

    def strike(self, what):
        victims = [victim for victim in self.victims(what) if victim is not None]
        for victim in victims:
            victim.kill()
        return bool(victims)

    def check_whole(self, job):
        shown = self.home.wait(job, timeout=180)
        self.assertEqual((60, 60), (shown["tasks"]["total"], shown["tasks"]["completed"]))
        results = self.home.json("result", job)["results"]
        self.assertEqual([f"{job}.{index}" for index in range(60)], [one["task"] for one in results])
        self.assertEqual(60, len({one["params"]["reynolds"] for one in results}))
        for one in results:
            self.assertTrue(one["rows"], one["task"])
        return results

    @unittest.skipUnless(shutil.which("xfoil"), "xfoil is not installed")
    def test_a_sweep_survives_kills_at_random_moments(self):
        chance = random.Random(SEED)
        self.home.up(2)
        job = self.home.submit(*SWEEP)
        for moment in range(MOMENTS):
            what = ["broker", "worker", "all", "solver"][moment % 4]
            # A random moment of the work: between one and five more tasks done, and a random part of a task later.
            before = self.completed(job)
            if before >= 55:
                break
            wait_until(lambda: self.completed(job) >= before + chance.randint(1, 5), "progress", timeout=60)
            time.sleep(chance.uniform(0, 0.2))
            with self.subTest(moment=moment, what=what):
                self.strike(what)
                self.home.up(2)
        computed = self.check_whole(job)
        # The same work again, undisturbed, in a fresh home: not a digit differs.
        reference = harness.Home()
        self.addCleanup(reference.close)
        reference.up(2)
        other = reference.submit(*SWEEP)
        reference.wait(other, timeout=180)
        undisturbed = reference.json("result", other)["results"]
        self.assertEqual([one["rows"] for one in undisturbed], [one["rows"] for one in computed])

    def completed(self, job):
        return self.home.job(job)["tasks"]["completed"]

    def test_an_acknowledged_submission_survives_the_broker(self):
        self.home.up(1)
        for _ in range(5):
            job = self.home.submit("noop", "--sweep", "i=0:9:1")
            self.home.broker().kill()
            wait_until(lambda: self.home.broker() is None, "the broker's end")
            self.home.up(1)
            self.assertEqual(10, self.home.wait(job)["tasks"]["completed"])

    def test_nothing_runs_twice_because_the_broker_was_killed(self):
        self.home.up(1)
        started, gate, count = (self.home.directory / name for name in ("started", "gate", "count"))
        job = self.home.submit("command", "--", "sh", "-c",
                               f"echo x >> {count}; touch {started}; while [ ! -e {gate} ]; do sleep 0.02; done; echo end")
        wait_until(started.exists, "the start")
        self.home.broker().kill()
        wait_until(lambda: self.home.broker() is None, "the broker's end")
        gate.touch()
        self.home.up(1)
        shown = self.home.wait(job)
        self.assertEqual(("completed", 1), (shown["state"], len(count.read_text().split())))
        self.assertEqual(1, shown["items"][0]["attempt"])

    def test_a_killed_worker_takes_its_commands_along_and_its_task_runs_again(self):
        self.home.up(1)
        count, gate = self.home.directory / "count", self.home.directory / "gate"
        job = self.home.submit("command", "--", "sh", "-c",
                               f"echo x >> {count}; setsid sleep 631 & while [ ! -e {gate} ]; do sleep 0.02; done")
        wait_until(lambda: count.exists() and self.home.processes("sleep"), "the start")
        self.home.workers()[0].kill()
        wait_until(lambda: not self.home.processes("sleep"), "the end of what the worker ran", timeout=10)
        gate.touch()
        self.home.up(1)
        shown = self.home.wait(job)
        self.assertEqual(("completed", 2), (shown["state"], len(count.read_text().split())))
        self.assertEqual(2, shown["items"][0]["attempt"])

    def test_a_lost_worker_fails_a_task_that_must_not_restart(self):
        self.home.up(1)
        started = self.home.directory / "started"
        job = self.home.submit("command", "--no-restart", "--", "sh", "-c", f"touch {started}; sleep 641")
        wait_until(started.exists, "the start")
        self.home.workers()[0].kill()
        self.home.up(1)
        shown = self.home.wait(job, expect=harness.INCOMPLETE)
        self.assertEqual(("failed", "worker_lost"), (shown["state"], shown["items"][0]["error"]["kind"]))

    def test_a_client_that_waits_goes_on_over_a_restart_of_the_broker(self):
        self.home.up(1)
        gate, started = self.home.directory / "gate", self.home.directory / "started"
        client = self.home.start("icarus", "submit", "command", "--wait", "-q", "--", "sh", "-c",
                                 f"touch {started}; while [ ! -e {gate} ]; do sleep 0.02; done")
        wait_until(started.exists, "the start")
        self.home.broker().kill()
        wait_until(lambda: self.home.broker() is None, "the broker's end")
        self.home.up(1)
        gate.touch()
        self.assertEqual(0, client.wait(30 * harness.SLOW))


if __name__ == "__main__":
    harness.main()

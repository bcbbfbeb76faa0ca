#!/usr/bin/python3
"""A task that is longer than what runs it: what it keeps goes on in its next attempt, wherever that is."""
import os
import signal
import subprocess

import harness
from harness import INCOMPLETE, SLOW, USAGE, wait_until

# Counts to its argument in steps of a tenth of a second and keeps the count; USR1 ends it between two steps.
COUNT = """
n=$(cat state 2>/dev/null || echo 0)
echo "attempt $ICARUS_ATTEMPT begins at $n"
trap 'exit 3' USR1
while [ $n -lt $1 ]; do
  sleep 0.1
  n=$((n + 1))
  echo $n > state.new && mv state.new state
done
echo "ends at $n"
"""


class KeepTest(harness.IcarusTest):
    workers = 0

    def count(self, to, *options):
        return self.home.submit("command", *options, "--", "sh", "-c", COUNT, "sh", to)

    def worker(self, name, *options):
        return self.home.start("icarus-worker", "--name", name, "--cpus", "1", *options, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)

    def attempts(self, job):
        return self.home.icarus("logs", f"{job}.0").out.splitlines()

    def began_at(self, job):
        """Where the last attempt took up the count."""
        return int(self.attempts(job)[0].split()[-1])

    def task(self, job):
        return self.home.json("show", f"{job}.0")

    def test_a_worker_that_leaves_hands_its_task_on_over_a_restart_of_the_broker(self):
        job = self.count(30, "--keep", "state", "--stop-signal", "USR1@1s")
        first = self.worker("first", "--time-limit", "2s", "--drain", "2s")
        self.assertEqual(0, first.wait(30 * SLOW))
        self.home.down("--broker")
        self.home.up(0)
        self.assertEqual("pending", self.task(job)["state"])
        second = self.worker("second")
        self.assertEqual("completed", self.home.wait(job)["state"])
        task = self.task(job)
        self.assertEqual((2, "second"), (task["attempt"], task["worker"]))
        self.assertEqual(("first", "cancelled"), (task["history"][0]["worker"], task["history"][0]["error"]["kind"]))
        self.assertIn("goes on in the next attempt", task["history"][0]["error"]["message"])
        self.assertGreater(self.began_at(job), 5)
        self.assertIn("ends at 30", self.attempts(job))
        second.terminate()
        self.assertEqual(0, second.wait(30 * SLOW))

    def test_a_stop_without_notice_keeps_too(self):
        job = self.count(25, "--keep", "state")
        first = self.worker("first", "--drain", "1s")
        wait_until(lambda: self.home.job(job)["state"] == "running", "the start")
        first.send_signal(signal.SIGTERM)
        self.assertEqual(0, first.wait(30 * SLOW))
        second = self.worker("second")
        self.assertEqual("completed", self.home.wait(job)["state"])
        self.assertGreater(self.began_at(job), 0)
        second.terminate()
        second.wait(30 * SLOW)

    def test_what_is_saved_meanwhile_outlives_its_worker(self):
        job = self.count(40, "--keep", "state", "--keep-every", "1s")
        first = self.worker("first")
        # The second save begins when the first has been told, on the same connection.
        wait_until(lambda: self.stored_files() >= 2, "two saves")
        first.kill()
        first.wait()
        second = self.worker("first")  # the successor of the same name returns what it held at once
        self.assertEqual("completed", self.home.wait(job)["state"])
        self.assertEqual((2, "worker_lost"), (self.task(job)["attempt"], self.task(job)["history"][0]["error"]["kind"]))
        self.assertGreater(self.began_at(job), 0)
        second.terminate()
        second.wait(30 * SLOW)

    def stored_files(self):
        blobs = self.home.path / "blobs"
        return sum(len(name) == 64 for _, _, names in os.walk(blobs) for name in names)

    def test_a_timeout_is_no_loss(self):
        self.home.up(1)
        job = self.count(40, "--keep", "state", "--timeout", "2s", "--retries", "20")
        self.assertEqual("completed", self.home.wait(job)["state"])
        task = self.task(job)
        self.assertGreater(task["attempt"], 1)
        self.assertEqual({"timed_out"}, {attempt["error"]["kind"] for attempt in task["history"]})
        self.assertGreater(self.began_at(job), 5)

    def test_a_retry_goes_on_from_what_was_kept(self):
        self.home.up(1)
        job = self.count(25, "--keep", "state", "--timeout", "1500ms", "--stop-signal", "USR1@500ms")
        self.home.wait(job, expect=INCOMPLETE)
        task = self.task(job)
        self.assertEqual(("timed_out", "timed_out"), (task["state"], task["error"]["kind"]))
        begun = [0]
        while self.home.job(job)["state"] != "completed":
            self.home.icarus("retry", job)
            self.home.icarus("wait", job, expect=(0, INCOMPLETE))
            begun.append(self.began_at(job))
        self.assertEqual(sorted(begun), begun)
        self.assertGreater(begun[-1], 5)

    def test_a_program_that_ends_well_after_the_notice_has_ended_well(self):
        job = self.home.submit("command", "--keep", "*", "--stop-signal", "USR1@2s", "--", "sh", "-c",
                               "trap 'echo told; exit 0' USR1; while true; do sleep 0.1; done")
        first = self.worker("first", "--time-limit", "1s", "--drain", "3s")
        self.assertEqual("completed", self.home.wait(job)["state"])
        self.assertEqual(["told"], self.attempts(job))
        self.assertEqual(0, first.wait(30 * SLOW))

    def test_mistakes_are_told(self):
        for options, words in ((("--keep", "../x"), ("../x", "inside")),
                               (("--keep", "x", "--cwd", "/tmp"), ("--cwd",)),
                               (("--keep-every", "10s"), ("--keep",)),
                               (("--keep", "x", "--keep-every", "10ms"), ("1s",)),
                               (("--stop-signal", "KILL"), ("KILL", "USR1")),
                               (("--stop-signal", "USR1@soon"), ("soon",)),
                               (("--stop-signal", "USR1@48h"), ("24h", "limits.notice"))):
            self.refused(USAGE, "submit", "command", *options, "--", "true", words=words)
        self.refused(USAGE, "submit", "airfoil_polar", "--target", "naca2412", "-p", "reynolds=1e6", "-p", "aoa=1",
                     "--keep", "x", words=("command",))


if __name__ == "__main__":
    harness.main()

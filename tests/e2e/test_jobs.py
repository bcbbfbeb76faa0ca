#!/usr/bin/python3
"""The verbs around a job: submit, wait, show, list, result, cancel; priorities; what they print and how they exit."""
import json

import harness
from harness import INCOMPLETE, NOT_YET, REFUSED, wait_until


class NoopTest(harness.IcarusTest):
    workers = 2

    def test_submit_prints_the_id_on_stdout_and_what_it_made_of_it_on_stderr(self):
        run = self.home.icarus("submit", "noop", "--sweep", "i=1:3:1")
        self.assertRegex(run.out, r"\A\d+\n\Z")
        self.assertRegex(run.err, r"job \d+: 3 tasks")

    def test_submit_answers_with_the_json_of_the_contract(self):
        answer = self.home.json("submit", "noop", "--sweep", "i=1:3:1")
        self.assertIsInstance(answer["job"], int)
        self.assertEqual((3, 0, []), (answer["tasks"], answer["cached"], answer["warnings"]))

    def test_wait_prints_the_finished_job(self):
        job = self.home.json("submit", "noop", "--sweep", "i=0:99:1", "--wait", "--name", "n", "--tag", "study=x")
        self.assertEqual(("completed", "noop", "n", {"study": "x"}, 0),
                         (job["state"], job["analysis"], job["name"], job["tags"], job["priority"]))
        self.assertEqual((100, 100), (job["tasks"]["total"], job["tasks"]["completed"]))
        self.assertRegex(job["submitted_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
        self.assertRegex(job["finished_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")

    def test_show_has_each_task_in_order_with_its_parameters(self):
        number = self.home.submit("noop", "--sweep", "i=3:1:-1")
        self.home.wait(number)
        items = self.home.job(number)["items"]
        self.assertEqual([f"{number}.0", f"{number}.1", f"{number}.2"], [item["task"] for item in items])
        self.assertEqual([3, 2, 1], [item["params"]["i"] for item in items])
        self.assertEqual(["completed"] * 3, [item["state"] for item in items])
        self.assertEqual([1] * 3, [item["attempt"] for item in items])

    def points_of(self, *sweep):
        number = self.home.submit("noop", *sweep)
        self.home.wait(number)
        return [(item["params"]["i"], item["params"]["bytes"]) for item in self.home.job(number)["items"]]

    def test_axes_multiply_with_the_last_fastest(self):
        self.assertEqual([(1, 10), (1, 20), (2, 10), (2, 20)], self.points_of("--sweep", "i=1,2", "--sweep", "bytes=10,20"))

    def test_zipped_axes_go_in_step(self):
        self.assertEqual([(1, 10), (2, 20)], self.points_of("--zip", "i=1:2:1,bytes=10:20:10"))

    def test_result_is_in_task_order_and_not_yet_before_the_end(self):
        number = self.home.submit("noop", "--sweep", "i=0:19:1", "-p", "sleep_s=0.05")
        self.refused(NOT_YET, "result", number)
        self.home.wait(number)
        results = self.home.json("result", number)
        self.assertEqual([f"{number}.{i}" for i in range(20)], [one["task"] for one in results["results"]])
        self.assertEqual([], results["failed"])
        one = self.home.json("result", f"{number}.7")
        self.assertEqual((f"{number}.7", "completed", 7), (one["task"], one["state"], one["params"]["i"]))

    def test_csv_has_a_header_and_a_line_a_task(self):
        number = self.home.submit("noop", "--sweep", "i=0:4:1")
        self.home.wait(number)
        lines = self.home.icarus("result", number, "-o", "csv").out.splitlines()
        self.assertTrue(lines[0].startswith("task,state,target,solver,"), lines[0])
        self.assertTrue(lines[0].endswith(",error"), lines[0])
        self.assertNotIn("nan", "\n".join(lines).lower())

    def test_list_is_newest_first_and_filters(self):
        first = self.home.submit("noop", "--name", "alpha", "--tag", "study=x", "--wait")
        second = self.home.submit("noop", "--name", "beta", "--wait")
        numbers = lambda *filters: [job["job"] for job in self.home.json("list", *filters)]
        self.assertEqual([second, first], numbers())
        self.assertEqual([first], numbers("--tag", "study=x"))
        self.assertEqual([first], numbers("--name", "al*"))
        self.assertEqual([second], numbers("--limit", "1"))
        self.assertEqual([], numbers("--state", "failed"))

    def test_the_same_id_is_the_same_job(self):
        first = self.home.submit("noop", "--id", "mine", "--sweep", "i=0:4:1")
        again = self.home.submit("noop", "--id", "mine", "--sweep", "i=0:4:1")
        self.assertEqual(first, again)
        self.assertEqual(1, len(self.home.json("list")))

    def test_wait_that_times_out_says_not_yet_and_the_job_goes_on(self):
        number = self.home.submit("noop", "-p", "sleep_s=1")
        run = self.home.icarus("wait", number, "--timeout", "100ms", expect=NOT_YET)
        self.assertLess(run.seconds, 1 * harness.SLOW)
        self.assertEqual("completed", self.home.wait(number)["state"])

    def test_selectors_name_the_last_job_and_ranges(self):
        first, second = self.home.submit("noop"), self.home.submit("noop")
        self.home.icarus("wait", f"{first}-{second}")
        self.home.icarus("wait", f"{first},{second}")
        self.assertEqual(second, self.home.json("show", "last")["job"])

    def test_what_is_not_there_is_refused(self):
        for verb in ("show", "result", "wait", "cancel"):
            with self.subTest(verb=verb):
                self.refused(REFUSED, verb, 4711, words=["4711"])

    def test_workers_are_listed(self):
        workers = self.home.json("workers")
        self.assertEqual(2, len(workers))
        for worker in workers:
            self.assertEqual("active", worker["state"])
            self.assertGreaterEqual(worker["slots"], 1)
            self.assertIn("solvers", worker)

    def test_quiet_prints_ids_or_nothing(self):
        number = self.home.submit("noop", "--sweep", "i=0:1:1", "--wait")
        self.assertEqual(f"{number}.0\n{number}.1\n", self.home.icarus("show", number, "-q").out)
        self.assertEqual("", self.home.icarus("result", number, "-q").out)
        self.assertEqual("", self.home.icarus("cache", "stats", "-q").out)
        self.assertIn("cache.max_entries\n", self.home.icarus("config", "list", "-q").out)
        self.assertIn("airfoil_polar\n", self.home.icarus("analyses", "-q").out)

    def test_cache_stats_have_the_fields_of_the_contract(self):
        stats = self.home.json("cache", "stats")
        for field in ("entries", "size_mb", "max_size_mb", "max_entries", "hits", "misses", "hit_rate_percent",
                      "evictions", "expirations", "utilization_percent", "bytes_utilization_percent", "joined"):
            self.assertIn(field, stats)

    def test_output_of_every_verb_is_one_json_document(self):
        number = self.home.submit("noop", "--wait")
        for verb in (["list"], ["show", number], ["result", number], ["workers"], ["cache", "stats"], ["analyses"],
                     ["analyses", "airfoil_polar"], ["maintenance"], ["doctor"]):
            with self.subTest(verb=verb):
                json.loads(self.home.icarus(*harness.with_json(verb), expect=None).out)


class OneWorkerTest(harness.IcarusTest):
    """One slot, so that order can be seen."""

    def setUp(self):
        super().setUp()
        self.home.up(1, "--cpus", "1")

    def busy(self):
        """Holds the only slot until the returned file is made."""
        gate = self.home.directory / "gate"
        started = self.home.directory / "started"
        number = self.home.submit("command", "--", "sh", "-c",
                                  f"touch {started}; while [ ! -e {gate} ]; do sleep 0.02; done")
        wait_until(started.exists, "the start of the blocking task")
        return number, gate

    def test_higher_priorities_run_first(self):
        number, gate = self.busy()
        order = self.home.directory / "order"
        jobs = [self.home.submit("command", "--priority", priority, "--", "sh", "-c", f"echo {priority} >> {order}")
                for priority in (0, 1, 9, 5)]
        self.assertEqual({"pending"}, {self.home.job(job)["state"] for job in jobs})
        gate.touch()
        for job in [number] + jobs:
            self.home.wait(job)
        self.assertEqual("9 5 1 0", " ".join(order.read_text().split()))

    def test_equal_priorities_run_in_the_order_of_submission(self):
        number, gate = self.busy()
        order = self.home.directory / "order"
        jobs = [self.home.submit("command", "--", "sh", "-c", f"echo {i} >> {order}") for i in range(4)]
        gate.touch()
        for job in [number] + jobs:
            self.home.wait(job)
        self.assertEqual("0 1 2 3", " ".join(order.read_text().split()))

    def test_a_pending_job_is_cancelled_and_never_runs(self):
        number, gate = self.busy()
        mark = self.home.directory / "ran"
        job = self.home.submit("command", "--", "touch", mark)
        self.home.icarus("cancel", job)
        self.assertEqual("cancelled", self.home.job(job)["state"])
        gate.touch()
        self.home.wait(number)
        last = self.home.submit("command", "--", "true")
        self.home.wait(last)
        self.assertFalse(mark.exists())
        self.home.icarus("wait", job, expect=INCOMPLETE)

    def test_a_running_job_is_cancelled_and_its_processes_are_gone(self):
        started = self.home.directory / "started"
        job = self.home.submit("command", "--", "sh", "-c",
                               f"trap '' TERM; setsid sleep 600 & setsid sh -c 'trap \"\" TERM; sleep 601' & "
                               f"touch {started}; while :; do sleep 0.1; done")
        wait_until(started.exists, "the start")
        self.assertTrue(self.home.processes("sleep"))
        self.home.icarus("cancel", job, timeout=30)
        self.assertEqual("cancelled", self.home.wait_state(job, "cancelled")["state"])
        wait_until(lambda: not self.home.processes("sleep") and not self.home.processes("dash"),
                   "the end of the solver's processes", timeout=5)
        self.home.wait(self.home.submit("noop"))

    def test_one_task_of_a_sweep_is_cancelled(self):
        number, gate = self.busy()
        job = self.home.submit("noop", "--sweep", "i=0:9:1")
        self.home.icarus("cancel", f"{job}.4")
        gate.touch()
        self.home.wait(number)
        self.home.icarus("wait", job, expect=INCOMPLETE)
        shown = self.home.job(job)
        self.assertEqual((9, 1), (shown["tasks"]["completed"], shown["tasks"]["cancelled"]))
        self.assertEqual("cancelled", shown["items"][4]["state"])

    def test_a_completed_job_refuses_to_be_cancelled_and_stays_as_it_is(self):
        job = self.home.submit("noop", "--wait")
        before = self.home.job(job)
        self.refused(REFUSED, "cancel", job)
        self.assertEqual(before, self.home.job(job))

    def test_failures_are_counted_and_grouped(self):
        job = self.home.submit("command", "--sweep", "i=0:3:1", "--", "sh", "-c", "exit {i}")
        self.home.icarus("wait", job, expect=INCOMPLETE)
        shown = self.home.job(job)
        self.assertEqual("failed", shown["state"])
        self.assertEqual((1, 3), (shown["tasks"]["completed"], shown["tasks"]["failed"]))
        self.assertEqual(["nonzero_exit"], sorted({group["kind"] for group in shown["failures"]}))
        self.assertEqual(3, sum(group["count"] for group in shown["failures"]))
        self.assertEqual([None, 1, 2, 3], [item["error"] and item["error"]["exit_code"] for item in shown["items"]])
        self.assertEqual(3, len(self.home.json("result", job, expect=INCOMPLETE)["failed"]))


if __name__ == "__main__":
    harness.main()

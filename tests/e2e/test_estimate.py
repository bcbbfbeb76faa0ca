#!/usr/bin/python3
"""What a submission would take, and two jobs compared."""
import json

import harness
from harness import INCOMPLETE, NOT_YET, USAGE

POLAR = ("airfoil_polar", "--target", "naca2412", "-p", "aoa=0:4:2")


class EstimateTest(harness.IcarusTest):
    workers = 2

    def test_it_counts_what_is_cached_and_predicts_the_rest(self):
        sweep = (*POLAR, "--solver", "panel", "--sweep", "reynolds=1e5:5e5:1e5")
        before = self.home.json("estimate", *sweep)
        self.assertEqual((5, 0, 5, None), (before["tasks"], before["hits"], before["to_compute"], before["seconds"]))
        self.home.wait(self.home.submit(*POLAR, "--solver", "panel", "--sweep", "reynolds=1e5,2e5"))
        after = self.home.json("estimate", *sweep)
        self.assertEqual((5, 2, 3), (after["tasks"], after["hits"], after["to_compute"]))
        self.assertGreater(after["seconds"]["p95"], 0)
        self.assertGreaterEqual(after["seconds"]["p95"], after["seconds"]["p50"])
        self.assertGreater(after["core_hours"], 0)
        self.assertEqual(0, self.home.json("estimate", *sweep, "--refresh")["hits"])
        self.assertEqual(0, len(self.home.json("list", "--state", "pending")), "nothing was queued")

    def test_the_key_is_explained_and_spelling_does_not_matter(self):
        def forms(*options):
            return self.home.json("estimate", "airfoil_polar", "--solver", "panel", "--target", "naca2412", "--explain-key",
                                  *options)["keys"]
        one = forms("-p", "reynolds=1e6", "-p", "aoa=0,2", "-p", "mach=0")
        same = forms("-p", "aoa=0:2:2", "-p", "reynolds=1000000")
        other = forms("-p", "aoa=0:2:2", "-p", "reynolds=1000001")
        self.assertEqual(one, same)
        self.assertNotEqual(one[0]["key"], other[0]["key"])
        form = json.loads(one[0]["form"])
        self.assertEqual((1e6, [0, 2], "naca2412"), (form["params"]["reynolds"], form["params"]["aoa"], form["target"]))
        job = self.home.submit("airfoil_polar", "--solver", "panel", "--target", "naca2412", "-p", "reynolds=1e6", "-p",
                               "aoa=0,2")
        self.home.wait(job)
        self.assertEqual(one[0]["key"], self.home.json("result", f"{job}.0")["meta"]["key"])

    def test_bad_input_is_told_as_by_submit(self):
        self.refused(USAGE, "estimate", "airfoil_polar", "--target", "naca2412", "-p", "reynolds=-1", "-p", "aoa=0",
                     words=("reynolds",))
        self.refused(USAGE, "estimate", "dance", words=("dance",))


class DiffTest(harness.IcarusTest):
    workers = 2

    def polars(self, *options):
        job = self.home.submit(*POLAR, "--solver", "panel", "--sweep", "reynolds=1e5:3e5:1e5", *options)
        self.home.wait(job)
        return job

    def test_commands_are_compared_by_what_they_wrote(self):
        def run(text):
            return self.home.submit("command", "--output", "out", "--wait", "--", "sh", "-c", f"echo one; echo {text} > out")

        first, same, other = run("a"), run("a"), run("b")
        self.assertTrue(self.home.json("diff", first, same)["equal"])
        report = self.home.json("diff", first, other, expect=INCOMPLETE)
        self.assertEqual([{"file": "out", "tasks": [f"{first}.0", f"{other}.0"]}], report["files"])
        self.assertIn("out of", self.home.icarus("diff", first, other, expect=INCOMPLETE).out)

    def test_the_same_is_equal_and_what_differs_is_shown_where(self):
        first, again = self.polars(), self.polars("--refresh")
        diff = self.home.json("diff", first, again)
        self.assertEqual((True, 3, 9), (diff["equal"], diff["compared"], diff["columns"][0]["points"]))
        other = self.home.submit(*POLAR, "--solver", "panel", "-p", "panels=120", "--sweep", "reynolds=1e5:3e5:1e5")
        self.home.wait(other)
        diff = self.home.json("diff", first, other, expect=INCOMPLETE)
        self.assertEqual((0, 3), (diff["compared"], len(diff["only_in_first"])), "another number of panels is another task")
        some = self.home.submit(*POLAR, "--solver", "panel", "-p", "reynolds=1e5")
        self.home.wait(some)
        diff = self.home.json("diff", first, some, expect=INCOMPLETE)
        self.assertEqual((1, 2), (diff["compared"], len(diff["only_in_first"])))

    def test_tolerance_and_worst_point(self):
        write = lambda text: self.home.submit("command", "--", "sh", "-c", text)
        jobs = [write("echo 1"), write("echo 2")]
        for job in jobs:
            self.home.wait(job)
        xfoil = self.home.submit(*POLAR, "--solver", "xfoil", "-p", "reynolds=1e6", "-p", "viscous=false")
        panel = self.home.submit(*POLAR, "--solver", "panel", "-p", "reynolds=1e6", "-p", "viscous=false")
        self.home.wait(xfoil)
        self.home.wait(panel)
        strict = self.home.json("diff", xfoil, panel, expect=(0, INCOMPLETE))
        cl = next(column for column in strict["columns"] if column["column"] == "cl")
        self.assertEqual(3, cl["points"])
        self.assertGreaterEqual(cl["max"], cl["rms"])
        self.assertLess(cl["max"], 0.05, "two methods, one section")
        self.assertIn(cl["worst"]["at"], [0, 2, 4])
        loose = self.home.json("diff", xfoil, panel, "--rtol", "0.5", expect=(0, INCOMPLETE))
        self.assertEqual(0, next(column for column in loose["columns"] if column["column"] == "cl")["beyond"])

    def test_two_are_needed_and_they_have_to_have_ended(self):
        job = self.home.submit("command", "--", "sleep", "30")
        self.refused(USAGE, "diff", job, words=("two",))
        self.refused(NOT_YET, "diff", job, job, words=("ended",))
        self.home.icarus("cancel", job)


if __name__ == "__main__":
    harness.main()

#!/usr/bin/python3
"""The checker of histories can fail: each way in which a history may be wrong is flagged, and a good one is not."""
import copy
import unittest

from history import FINAL, History, Submission, check, check_rows

STATES = ("pending", "waiting", "running", *FINAL)


def counts_of(tasks):
    counts = {state: sum(one["state"] == state for one in tasks) for state in STATES}
    return {"total": len(tasks), **counts}


class World:
    """A history, and what the system says in the end. It is in order as long as nobody changes it."""

    def __init__(self):
        self.history = History()
        self.jobs, self.tasks, self.values, self.runs = {}, {}, {}, {}
        self.add(1, Submission("noop-1", "noop", 3, {}, None))
        self.add(2, Submission("command-2", "command", 2, {0: "value command-2 1", 1: "value command-2 2"}, None))
        self.add(3, Submission("failing-3", "failing", 1, {}, None), state="failed")
        self.add(4, Submission("command-4", "command", 1, {0: "value command-4 1"}, 2))
        self.add(5, Submission("polar-5", "polar", 2, {}, None))
        for job, one in self.jobs.items():
            self.history.saw(job, one["state"])

    def add(self, job, submission, state="completed"):
        self.history.submitting(submission)
        self.history.submitted(submission.key, job)
        self.tasks[job] = [{"task": f"{job}.{index}", "state": state} for index in range(submission.tasks)]
        self.end(job, state)
        for index, value in submission.values.items():
            self.values[(job, index)] = value
            self.runs[(submission.key, index)] = 1

    def end(self, job, state):
        """The job and its tasks as they are in the end."""
        for one in self.tasks[job]:
            one["state"] = state
        self.jobs[job] = {"job": job, "state": state, "tasks": counts_of(self.tasks[job])}

    def copy_job(self, job, number):
        self.jobs[number] = copy.deepcopy(self.jobs[job])
        self.tasks[number] = [{**one, "task": one["task"].replace(f"{job}.", f"{number}.")} for one in self.tasks[job]]

    def check(self):
        return check(self.history, self.jobs, self.tasks, self.values, self.runs)


class CheckerTest(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.history = self.world.history
        self.assertEqual([], self.world.check())

    def assert_flagged(self, *words):
        """Some violation has all of the words."""
        wrong = self.world.check()
        self.assertTrue(any(all(word in line for word in words) for line in wrong), f"{words} in {wrong}")

    def test_a_lost_acknowledged_submission(self):
        del self.world.jobs[2]
        self.assert_flagged("job 2", "command-2", "acknowledged and is not there")

    def test_an_id_that_became_two_jobs(self):
        self.history.submitted("noop-1", 9)
        self.assert_flagged("the id noop-1 was job 1 and is now job 9")

    def test_two_submissions_that_became_one_job(self):
        self.history.submitting(Submission("noop-6", "noop", 3, {}, None))
        self.history.submitted("noop-6", 1)
        self.assert_flagged("two submissions became one job")

    def test_a_job_that_nobody_submitted(self):
        self.world.copy_job(1, 9)
        self.assert_flagged("jobs [9] are there", "only 0 can be")

    def test_a_submission_without_an_answer_that_became_two_jobs(self):
        self.history.submitting(Submission("noop-6", "noop", 3, {}, None))
        self.world.copy_job(1, 9)
        self.assertEqual([], self.world.check())
        self.world.copy_job(1, 10)
        self.assert_flagged("jobs [9, 10] are there", "only 1 can be")

    def test_a_submission_without_a_key_may_be_one_job(self):
        self.history.submitting_without_a_key()
        self.world.copy_job(1, 9)
        self.assertEqual([], self.world.check())

    def test_a_final_state_that_changes_before_somebody(self):
        self.history.saw(1, "failed")
        self.assert_flagged("job 1 was shown as completed, then as failed")

    def test_a_final_state_that_is_another_in_the_end(self):
        self.world.end(2, "failed")
        self.assert_flagged("job 2 was shown as completed and is failed in the end")

    def test_a_final_state_that_was_taken_back(self):
        self.world.end(2, "running")
        self.assert_flagged("job 2 has not ended")

    def test_states_on_the_way_are_nobodys_contradiction(self):
        self.history.saw(1, "running")
        self.assertEqual([], self.world.check())

    def test_a_task_that_is_missing(self):
        self.world.tasks[1].pop()
        self.world.jobs[1]["tasks"] = counts_of(self.world.tasks[1])
        self.assert_flagged("job 1 has 2 tasks, and 3 were submitted")

    def test_a_task_that_is_counted_and_not_shown(self):
        self.world.tasks[1].pop()
        self.assert_flagged("job 1 counts", "'completed': 2}")

    def test_a_task_that_is_shown_twice(self):
        self.world.tasks[1][2] = dict(self.world.tasks[1][1])
        self.assert_flagged("job 1 shows a task twice")

    def test_counts_that_do_not_add_up(self):
        self.world.jobs[1]["tasks"]["completed"] -= 1
        self.assert_flagged("job 1 has not ended")

    def test_a_task_that_failed_for_no_reason(self):
        self.world.tasks[2][1]["state"] = "timed_out"
        self.assert_flagged("task 2.1 (command) is timed_out")

    def test_a_task_that_had_to_fail_and_did_not(self):
        self.world.tasks[3][0]["state"] = "completed"
        self.assert_flagged("task 3.0 (failing) is completed")

    def test_a_task_that_nobody_cancelled(self):
        self.world.tasks[1][0]["state"] = "cancelled"
        self.assert_flagged("task 1.0 (noop) is cancelled")

    def test_what_was_cancelled_may_be_cancelled_and_what_waited_for_it_may_fail(self):
        self.history.cancelling(2)
        self.history.shown.clear()
        self.world.end(2, "cancelled")
        self.world.end(4, "failed")
        self.assertEqual([], self.world.check())

    def test_what_waited_for_nothing_that_was_cancelled_may_not_fail(self):
        self.history.cancelling(1)
        self.world.tasks[4][0]["state"] = "failed"
        self.assert_flagged("task 4.0 (command) is failed")

    def test_the_result_of_another_task(self):
        self.world.values[(2, 1)] = self.world.values[(2, 0)]
        self.assert_flagged("task 2.1 says 'value command-2 1'", "must say 'value command-2 2'")

    def test_the_result_of_another_job(self):
        self.world.values[(4, 0)] = self.world.values[(2, 0)]
        self.assert_flagged("task 4.0 says 'value command-2 1'", "must say 'value command-4 1'")

    def test_an_empty_result(self):
        self.world.values[(2, 0)] = ""
        self.assert_flagged("task 2.0 says ''")

    def test_a_task_that_completed_and_never_ran(self):
        del self.world.runs[("command-2", 1)]
        self.assert_flagged("task 2.1 is completed and never ran")

    def test_a_task_that_ran_twice_is_allowed(self):
        self.world.runs[("command-2", 1)] = 2
        self.assertEqual([], self.world.check())


class RowsTest(unittest.TestCase):
    def test_equal_parameters_have_equal_rows(self):
        self.assertEqual([], check_rows([("5.0", 2e5, [[0, 0.1]]), ("5.1", 3e5, [[0, 0.2]]), ("6.0", 2e5, [[0, 0.1]])]))

    def test_other_rows_for_equal_parameters(self):
        self.assertEqual(["task 6.0 has other rows than an equal task"],
                         check_rows([("5.0", 2e5, [[0, 0.1]]), ("6.0", 2e5, [[0, 0.2]])]))

    def test_no_rows(self):
        self.assertEqual(["task 5.0 is completed and has no rows"], check_rows([("5.0", 2e5, [])]))


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""`icarus run` and the `command` analysis: exit codes, streams, files, and commands that misbehave."""
import hashlib
import os
import signal
import subprocess

import harness
from harness import INCOMPLETE, USAGE, wait_until

OUTPUT_LIMIT = 16 << 20  # limits::kMaxOutputBytes


class RunTest(harness.IcarusTest):
    workers = 1

    def run_command(self, *arguments, expect=None, **options):
        return self.home.icarus("run", *arguments, expect=expect, **options)

    def test_passes_output_and_exit_code_through(self):
        run = self.run_command("--", "sh", "-c", "echo out; echo err >&2; exit 7")
        self.assertEqual((7, "out\n"), (run.code, run.out), str(run))
        self.assertIn("err\n", run.err)

    def test_success_is_silent(self):
        run = self.run_command("-q", "--", "true")
        self.assertEqual((0, "", ""), (run.code, run.out, run.err), str(run))

    def test_a_signal_is_128_plus_its_number(self):
        self.assertEqual(128 + signal.SIGKILL, self.run_command("--", "sh", "-c", "kill -9 $$").code)

    def test_not_found_and_not_executable(self):
        self.assertEqual(127, self.run_command("--", "no-such-program-anywhere").code)
        plain = self.home.directory / "plain"
        plain.write_text("no program\n")
        plain.chmod(0o644)
        self.assertEqual(126, self.run_command("--", str(plain)).code)

    def test_a_timeout_is_124(self):
        self.assertEqual(124, self.run_command("--timeout", "300ms", "--", "sleep", "60", timeout=30).code)

    def test_no_shell_sees_the_arguments(self):
        text = "a b;$HOME `id` * \"q\" 'r' \\ é"
        self.assertEqual(text + "\n", self.run_command("--", "printf", "%s\\n", text).out)

    def test_the_environment_is_scrubbed_and_has_what_the_contract_says(self):
        run = self.run_command("--env", "MINE=1", "--cpus", "1", "--", "env", environment=None)
        names = dict(line.split("=", 1) for line in run.out.splitlines() if "=" in line)
        for name in ("PATH", "HOME", "TMPDIR", "ICARUS_JOB", "ICARUS_TASK", "ICARUS_INDEX", "ICARUS_ATTEMPT", "ICARUS_CPUS"):
            self.assertIn(name, names, run.out)
        self.assertEqual(("1", "0", "1", "1"),
                         (names["MINE"], names["ICARUS_INDEX"], names["ICARUS_ATTEMPT"], names["ICARUS_CPUS"]))
        self.assertNotIn("ICARUS_HOME", names)

    def test_standard_input_is_empty_unless_given(self):
        self.assertEqual("0\n", self.run_command("--", "sh", "-c", "wc -c | tr -d ' '").out)

    def test_standard_input_from_a_file(self):
        source = self.home.directory / "work" / "in.txt"
        source.write_text("one two\n", encoding="utf-8")
        self.assertEqual("one two\n", self.run_command("--stdin", source, "--", "cat").out)

    def test_inputs_are_placed_and_outputs_collected(self):
        work = self.home.directory / "work"
        (work / "in.txt").write_text("hello\n", encoding="utf-8")
        job = self.home.submit("command", "--input", "in.txt=data/renamed.txt", "--output", "*.out", "--wait",
                               "--", "sh", "-c", "tr a-z A-Z < data/renamed.txt > big.out")
        destination = self.home.directory / "got"
        self.home.icarus("get", f"{job}.0", "-d", destination)
        self.assertEqual("HELLO\n", (destination / "big.out").read_text())
        self.assertEqual("hello\n", (work / "in.txt").read_text())

    def test_a_large_output_file_comes_back_as_it_was(self):
        job = self.home.submit("command", "--output", "big", "--wait", "--", "sh", "-c",
                               "head -c 5000000 /dev/urandom > big; sha256sum < big")
        destination = self.home.directory / "got"
        self.home.icarus("get", f"{job}.0", "-d", destination)
        content = (destination / "big").read_bytes()
        self.assertEqual(5000000, len(content))
        self.assertEqual(hashlib.sha256(content).hexdigest(), self.home.icarus("logs", f"{job}.0").out.split()[0])

    def test_an_output_that_was_not_made_fails_the_task(self):
        job = self.home.submit("command", "--output", "*.dat", "--", "true")
        self.home.icarus("wait", job, expect=INCOMPLETE)
        self.assertEqual("output_missing", self.home.job(job)["items"][0]["error"]["kind"])

    def test_placeholders_become_the_values_of_the_task(self):
        job = self.home.submit("command", "--sweep", "x=1,2.5", "--wait", "--", "sh", "-c",
                               "echo {x} {index} {{b}} $ICARUS_PARAM_X")
        self.assertEqual(["1 0 {b} 1\n", "2.5 1 {b} 2.5\n"],
                         [self.home.icarus("logs", f"{job}.{index}").out for index in (0, 1)])

    def test_an_unknown_placeholder_is_refused_by_name(self):
        self.refused(USAGE, "submit", "command", "--sweep", "x=1,2", "--", "echo", "{y}", words=["y", "x"])

    def test_it_is_not_cached_unless_asked(self):
        count = self.home.directory / "count"
        for _ in range(2):
            self.home.submit("command", "--wait", "--", "sh", "-c", f"echo x >> {count}")
        self.assertEqual(2, len(count.read_text().split()))

    def test_with_cache_a_hit_replays_the_output(self):
        count = self.home.directory / "count"
        command = ("--cache", "--", "sh", "-c", f"echo x >> {count}; echo said; exit 0")
        first, second = self.run_command(*command), self.run_command(*command)
        self.assertEqual((0, "said\n"), (first.code, first.out), str(first))
        self.assertEqual((0, "said\n"), (second.code, second.out), str(second))
        self.assertEqual(1, len(count.read_text().split()))

    def test_detach_prints_the_id(self):
        run = self.run_command("--detach", "--", "true", expect=0)
        self.assertRegex(run.out, r"\A\d+\n\Z")
        self.home.wait(run.out.strip())

    def test_a_client_that_is_interrupted_leaves_and_the_job_goes_on(self):
        started, gate = self.home.directory / "started", self.home.directory / "gate"
        client = self.home.start("icarus", "run", "--", "sh", "-c",
                                 f"touch {started}; while [ ! -e {gate} ]; do sleep 0.02; done",
                                 stderr=subprocess.DEVNULL)
        wait_until(started.exists, "the start")
        client.send_signal(signal.SIGINT)
        self.assertEqual(130, client.wait(10))
        job = self.home.json("list")[0]["job"]
        self.assertEqual("running", self.home.job(job)["state"])
        gate.touch()
        self.home.wait(job)


class NastyCommandTest(harness.IcarusTest):
    workers = 1

    NASTY = ("trap '' TERM INT HUP; "
             "setsid sleep 611 & setsid sh -c 'trap \"\" TERM; sleep 612 & wait' & (setsid sleep 613 &) ; "
             "while :; do echo flood flood flood flood flood flood flood flood; done")

    def test_ignores_sigterm_forks_and_floods_and_is_ended_all_the_same(self):
        job = self.home.submit("command", "--timeout", "2s", "--", "sh", "-c", self.NASTY)
        shown = self.home.wait(job, timeout=20, expect=INCOMPLETE)
        item = shown["items"][0]
        self.assertEqual(("timed_out", "timed_out"), (shown["state"], item["error"]["kind"]))
        self.assertLess(item["run_s"], 8 * harness.SLOW)
        wait_until(lambda: not self.home.processes("sleep") and not self.home.processes("dash"), "no process left", timeout=2)
        logs = self.home.icarus("logs", f"{job}.0")
        log = logs.out
        self.assertLessEqual(len(log), OUTPUT_LIMIT + 4096)
        self.assertGreater(len(log), OUTPUT_LIMIT // 4)
        self.assertIn("capped", logs.err)
        self.home.wait(self.home.submit("noop"))

    def test_background_children_of_a_command_that_succeeds_are_ended(self):
        job = self.home.submit("command", "--wait", "--", "sh", "-c", "setsid sleep 621 & sleep 622 & exit 0")
        self.assertEqual("completed", self.home.job(job)["state"])
        wait_until(lambda: not self.home.processes("sleep"), "no process left", timeout=2)

    def test_more_memory_than_asked_for_ends_the_task_with_numbers(self):
        job = self.home.submit("command", "--memory", "64MiB", "--", "/usr/bin/python3", "-c",
                               "import time; hog = bytearray(300 << 20); time.sleep(60)")
        shown = self.home.wait(job, timeout=30, expect=INCOMPLETE)
        error = shown["items"][0]["error"]
        self.assertEqual("resource_exceeded", error["kind"], error)
        self.assertRegex(error["message"], r"\d")

    def test_scratch_is_removed(self):
        job = self.home.submit("command", "--wait", "--", "sh", "-c", "pwd; echo x > file; mkdir d; chmod 0 d")
        scratch = self.home.icarus("logs", f"{job}.0").out.strip()
        self.assertTrue(scratch.startswith("/"), scratch)
        wait_until(lambda: not os.path.exists(scratch), "the removal of the scratch directory", timeout=5)


if __name__ == "__main__":
    harness.main()

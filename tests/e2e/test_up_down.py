#!/usr/bin/python3
"""Starting and stopping: `up` and `down`, what is kept between them, second brokers, addresses in use, large sweeps."""
import os
import socket
import time
import unittest

import harness
from harness import INTERNAL, NO_BROKER, REFUSED, USAGE, wait_until


class UpDownTest(harness.IcarusTest):

    def test_without_a_broker_every_verb_says_so_and_exits_3(self):
        for verb in (["list"], ["show", 1], ["submit", "noop"], ["run", "--detach", "--", "true"], ["wait", 1], ["cancel", 1],
                     ["result", 1], ["workers"], ["cache", "stats"], ["config", "list"]):
            with self.subTest(verb=verb):
                run = self.home.icarus(*harness.with_json(verb), expect=None)
                self.assertEqual(NO_BROKER, run.code, str(run))
                self.assertIn("icarus up", run.out + run.err)

    def test_up_is_repeatable_and_adds_only_what_is_missing(self):
        self.home.up(1)
        broker = self.home.broker().pid
        self.home.up(1)
        self.assertEqual((broker, 1), (self.home.broker().pid, len(self.home.workers())))
        self.home.up(2)
        self.assertEqual((broker, 2), (self.home.broker().pid, len(self.home.workers())))
        self.assertEqual(2, len(self.home.json("workers")))

    def test_up_says_that_a_running_broker_does_not_listen_there(self):
        self.home.up(1)
        listen = ("up", "--listen", "tcp://127.0.0.1:9", "--insecure")
        self.refused(REFUSED, *listen, words=["does not listen at tcp://127.0.0.1:9", "icarus down --broker"], field="listen")
        self.refused(USAGE, "up", "--listen", "nonsense")
        self.home.down("--broker")
        self.home.up(1, "--listen", "tcp://127.0.0.1:0", "--insecure")
        broker = self.home.broker().pid
        self.home.up(1, "--listen", "tcp://127.0.0.1:0", "--insecure")
        self.assertEqual(broker, self.home.broker().pid)

    def test_after_up_returns_a_job_runs_at_once(self):
        self.home.up(1)
        self.home.icarus("run", "--", "true", timeout=10)

    def test_down_leaves_no_process_and_no_socket(self):
        self.home.up(2)
        self.home.down()
        self.assertEqual([], self.home.processes())
        self.assertEqual([], self.home.ipc_sockets())
        self.home.down()

    def test_jobs_results_and_numbers_survive_down_and_up(self):
        self.home.up(1)
        first = self.home.submit("noop", "--sweep", "i=0:99:1", "--wait")
        before = self.home.json("result", first)
        self.home.down()
        self.home.up(1)
        self.assertEqual(before, self.home.json("result", first))
        self.assertGreater(self.home.submit("noop"), first)

    def test_down_during_a_sweep_then_up_goes_on(self):
        self.home.up(2)
        marks = self.home.directory / "marks"
        marks.mkdir()
        job = self.home.submit("command", "--sweep", "i=0:39:1", "--", "sh", "-c",
                               f"sleep 0.1; mktemp {marks}/{{i}}.XXXXXX")
        wait_until(lambda: len(list(marks.iterdir())) >= 5, "some tasks done")
        self.home.down("--drain", "0s")
        self.assertEqual([], self.home.processes())
        done = len(list(marks.iterdir()))
        self.assertLess(done, 40)
        self.home.up(2)
        shown = self.home.wait(job)
        self.assertEqual(40, shown["tasks"]["completed"])
        # Execution is at least once: what `down` interrupted ran again, and no attempt was counted for it.
        self.assertEqual(40, len({mark.name.split(".")[0] for mark in marks.iterdir()}))
        self.assertLessEqual(len(list(marks.iterdir())), 40 + 2)
        self.assertEqual({1}, {item["attempt"] for item in shown["items"]})

    def test_down_of_the_broker_alone_leaves_solvers_running(self):
        self.home.up(1)
        started, gate, count = (self.home.directory / name for name in ("started", "gate", "count"))
        job = self.home.submit("command", "--", "sh", "-c",
                               f"echo x >> {count}; touch {started}; while [ ! -e {gate} ]; do sleep 0.02; done; echo end")
        wait_until(started.exists, "the start")
        self.home.down("--broker")
        self.assertIsNone(self.home.broker())
        gate.touch()
        self.home.up(1)
        shown = self.home.wait(job)
        self.assertEqual((1, 1), (shown["items"][0]["attempt"], len(count.read_text().split())))
        self.assertEqual("end\n", self.home.icarus("logs", f"{job}.0").out)

    def test_a_second_broker_is_refused_and_the_first_unharmed(self):
        self.home.up(1)
        first = self.home.broker().pid
        run = self.home.program("icarus-broker", timeout=20)
        self.assertEqual(REFUSED, run.code, str(run))
        self.assertEqual(first, self.home.broker().pid)
        self.home.icarus("run", "--", "true")

    def test_a_port_that_is_in_use_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            run = self.home.program("icarus-broker", "--insecure", "--listen", f"tcp://127.0.0.1:{port}", timeout=20)
        self.assertNotEqual(0, run.code, str(run))
        self.assertIn(str(port), run.err)
        self.assertEqual([], self.home.processes())

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_a_home_that_cannot_be_written_is_named(self):
        self.home.path.mkdir(mode=0o500)
        self.check_bad_home(self.home.path)

    def check_bad_home(self, path):
        run = self.home.icarus("up", "--home", path, expect=None)
        self.assertIn(run.code, (REFUSED, INTERNAL, NO_BROKER, USAGE), str(run))
        self.assertIn(str(path), run.err)
        self.assertEqual([], self.home.processes())

    def test_a_home_below_a_file_is_named(self):
        file = self.home.directory / "file"
        file.write_text("", encoding="utf-8")
        self.check_bad_home(file / "home")

    def test_a_very_long_home_works(self):
        path = self.home.directory / ("long" * 40)
        self.home.environment["ICARUS_HOME"] = str(path)
        self.home.up(1)
        self.home.icarus("run", "--", "true")

    def test_a_configuration_error_names_the_line(self):
        config = self.home.directory / "config.toml"
        config.write_text("[cache]\nmax_size_mb = 10\nmax_sice_mb = 10\n", encoding="utf-8")
        run = self.home.icarus("up", "--config", config, expect=None)
        self.assertEqual(USAGE, run.code, str(run))
        self.assertIn("max_sice_mb", run.err)
        self.assertIn("3", run.err)


class LargeSweepTest(harness.IcarusTest):
    workers = 1

    def test_a_million_tasks_are_accepted_without_being_expanded(self):
        gate = self.home.directory / "gate"
        hold = self.home.submit("command", "--cpus", "1", "--", "sh", "-c", f"while [ ! -e {gate} ]; do sleep 0.02; done")
        self.home.wait_state(hold, "running")
        broker = self.home.broker().pid
        before = harness.resident_mb(broker)
        job = self.home.json("submit", "noop", "--sweep", "i=1:1000000:1", "--priority", "-1")
        self.assertEqual(1000000, job["tasks"])
        self.assertLess(harness.resident_mb(broker) - before, 100)
        gate.touch()
        self.home.wait(hold)
        self.home.icarus("run", "--", "true", timeout=20)
        self.home.icarus("cancel", job["job"])
        shown = self.home.job(job["job"])
        self.assertEqual("cancelled", shown["state"])
        self.assertEqual(1000000, shown["tasks"]["cancelled"] + shown["tasks"]["completed"])

    def test_it_is_accepted_in_the_time_of_a_small_one(self):
        hold = self.home.directory / "hold"
        self.home.submit("command", "--", "sh", "-c", f"while [ ! -e {hold} ]; do sleep 0.02; done")
        small = min(self.home.icarus("submit", "noop").seconds for _ in range(3))
        begin = time.monotonic()
        self.home.icarus("submit", "noop", "--sweep", "i=1:1000000:1", "--priority", "-5")
        self.assertLess(time.monotonic() - begin, 20 * small + 0.5)
        self.home.icarus("cancel", "all")
        hold.touch()


if __name__ == "__main__":
    harness.main()

#!/usr/bin/python3
"""The store's tools with the real programs: verify, salvage, backup, restore, and a broker on a damaged store."""
import hashlib
import json
import os
import pathlib
import subprocess
import unittest

import harness
from harness import DONE, INCOMPLETE, INTERNAL, NOT_NOW, REFUSED, USAGE, wait_until


def snapshot(directory):
    """Every file with the hash of its content."""
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(pathlib.Path(directory).rglob("*")) if path.is_file()}


def largest(directory, pattern):
    return max(pathlib.Path(directory).glob(pattern), key=lambda path: path.stat().st_size)


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 0x40
    path.write_bytes(content)


class StoreToolsTest(harness.IcarusTest):

    def tool(self, *arguments, home=None, expect=DONE):
        run = self.home.program("icarus-broker", "--home", home or self.home.path, *arguments)
        self.assertEqual(expect, run.code, str(run))
        return run

    def at(self, home, *arguments, **options):
        """`icarus` with another home, whose broker does not wait long for the workers of the first."""
        return self.home.icarus(*arguments, environment={"ICARUS_HOME": str(home),
                                                         "ICARUS_WORKER_REATTACH_GRACE_SECONDS": "2"}, **options)

    def up_at(self, home, *arguments):
        self.at(home, "up", *arguments)
        self.addCleanup(self.at, home, "down", "--drain", "1s")

    def fill(self):
        """Jobs of many kinds: done, failed, cancelled, cached, with a file, and one that waits."""
        sweep = self.home.submit("noop", "--sweep", "i=0:299:1", "--wait")
        self.home.icarus("run", "--", "sh", "-c", "echo some; exit 3", expect=3)
        self.home.icarus("run", "--output", "out", "--", "sh", "-c", "head -c 3000000 /dev/urandom > out; echo done")
        cancelled = self.home.submit("command", "--sweep", "i=0:9:1", "--", "sleep", "60")
        self.home.icarus("cancel", cancelled)
        self.home.submit("noop", "--require", "no=such", "--sweep", "i=0:9:1")
        return sweep

    def test_a_store_of_many_jobs_is_clean_and_stays_as_it_is(self):
        self.home.up(2)
        self.fill()
        self.assertIn("already served", self.tool("--verify", expect=REFUSED).err)
        self.home.down()
        before = snapshot(self.home.path)
        run = self.tool("--verify")
        self.assertRegex(run.out.splitlines()[-1], r"^5 jobs, \d+ task records, \d+ bodies, [1-9]\d* blobs, 0 findings$")
        self.assertEqual(before, snapshot(self.home.path))
        report = json.loads(self.tool("--verify", "--json").out)
        self.assertEqual(([], 5), (report["findings"], report["jobs"]))

    def test_a_killed_broker_leaves_a_clean_store(self):
        self.home.up(1)
        self.home.submit("noop", "--sweep", "i=0:999:1", "--wait")
        self.home.kill_broker()
        self.assertIn("0 findings", self.tool("--verify").out)

    def test_a_damaged_file_is_found(self):
        self.home.up(1)
        self.fill()
        self.home.down()
        blob = largest(self.home.path / "blobs", "??/*")
        flip(blob, 1000)
        run = self.tool("--verify", expect=INCOMPLETE)
        self.assertIn(f"damaged: the file {blob} has another content", run.out)

    def test_without_a_store_there_is_nothing_to_verify(self):
        run = self.tool("--verify", home=self.home.directory / "nothing", expect=REFUSED)
        self.assertIn("no job store", run.err)
        self.assertFalse((self.home.directory / "nothing").exists())
        self.tool("--verify", "--salvage", self.home.directory / "x", expect=USAGE)

    def test_a_damaged_log_is_refused_and_salvaged(self):
        self.home.up(1)
        first = self.home.submit("noop", "--sweep", "i=0:99:1", "--wait")
        before = self.home.json("result", first)
        self.home.icarus("run", "--", "echo", "second")
        self.home.icarus("run", "--", "echo", "third")
        self.home.down()
        log = largest(self.home.path / "store", "*.log")
        flip(log, log.stat().st_size * 3 // 4)
        damaged = snapshot(self.home.path / "store")
        run = self.tool(expect=INTERNAL)
        self.assertIn(str(log), run.err)
        self.assertIn("--salvage", run.err.splitlines()[-1])
        self.assertIn("damaged", self.tool("--verify", expect=INCOMPLETE).out)

        saved = self.home.directory / "saved"
        run = self.tool("--salvage", saved, expect=INCOMPLETE)
        self.assertRegex(run.out, r"missing: batch(es)? \d+")
        self.assertIn(f"use it: icarus up --home {saved}", run.out)
        self.assertEqual(damaged, snapshot(self.home.path / "store"))
        self.assertIn("0 findings", self.tool("--verify", home=saved).out)
        self.up_at(saved)
        self.at(saved, "wait", first, "--timeout", "30s")
        after = json.loads(self.at(saved, "result", first, "-o", "json").out)
        self.assertEqual([row["rows"] for row in before["results"]], [row["rows"] for row in after["results"]])
        self.at(saved, "run", "--", "true")

    def test_what_is_lost_is_computed_anew(self):
        self.home.up(1)
        job = self.home.submit("command", "--sweep", "i=0:9:1", "--output", "out", "--wait", "--", "sh", "-c",
                               "head -c 2000000 /dev/zero | tr '\\0' '{i}' > out")
        self.home.down()
        flip(largest(self.home.path / "blobs", "??/*"), 5)
        saved = self.home.directory / "saved"
        run = self.tool("--salvage", saved, expect=INCOMPLETE)
        self.assertIn("1 tasks are pending again", run.out)
        self.up_at(saved)
        self.at(saved, "wait", job, "--timeout", "60s")
        shown = json.loads(self.at(saved, "show", job, "-o", "json").out)
        self.assertEqual(10, shown["tasks"]["completed"])

    def test_a_backup_of_a_served_home_is_restored_and_its_sweep_goes_on(self):
        self.home.up(1)
        gate = self.home.directory / "gate"
        done = self.home.submit("noop", "--sweep", "i=0:99:1", "--wait")
        self.home.icarus("run", "--output", "out", "--", "sh", "-c", "head -c 3000000 /dev/urandom > out")
        job = self.home.submit("command", "--sweep", "i=0:19:1", "--", "sh", "-c",
                               f"if [ {{i}} -ge 5 ]; then while [ ! -e {gate} ]; do sleep 0.02; done; fi; echo {{i}}")
        wait_until(lambda: self.home.job(job)["tasks"]["completed"] >= 5, "some tasks done")
        backup = self.home.directory / "backup"
        self.assertIn("up to batch", self.tool("--backup", backup).out)
        self.assertEqual("running", self.home.job(job)["state"])
        self.tool("--backup", backup, expect=REFUSED)
        self.assertIn("0 findings", self.tool("--verify", home=backup).out)

        restored = self.home.directory / "restored"
        self.tool("--restore", backup, home=restored)
        gate.touch()
        self.home.wait(job)
        self.home.down()
        report = json.loads(self.tool("--verify", "--json").out)
        copy = json.loads(self.tool("--verify", "--json", home=restored).out)
        self.assertNotEqual(report["lineage"], copy["lineage"])
        self.assertGreater(copy["epoch"], report["epoch"] + 100)
        self.assertEqual(([], 3), (copy["findings"], copy["jobs"]))
        self.up_at(restored)
        self.at(restored, "wait", job, "--timeout", "60s", timeout=70)
        shown = json.loads(self.at(restored, "show", job, "-o", "json").out)
        self.assertEqual(20, shown["tasks"]["completed"])
        self.assertEqual("7\n", self.at(restored, "logs", f"{job}.7").out)
        self.assertEqual(100, len(json.loads(self.at(restored, "result", done, "-o", "json").out)["results"]))

    def test_a_backup_at_rest_and_what_restore_refuses(self):
        self.home.up(1)
        job = self.home.submit("noop", "--sweep", "i=0:9:1", "--wait")
        self.home.down()
        before = snapshot(self.home.path)
        backup = self.home.directory / "backup"
        note = json.loads(self.tool("--backup", backup, "--json").out)
        self.assertEqual(before, snapshot(self.home.path))
        self.assertIn("has a store already", self.tool("--restore", backup, expect=REFUSED).err)
        self.tool("--restore", self.home.directory / "none", home=self.home.directory / "other", expect=REFUSED)
        restored = self.home.directory / "restored"
        kept = snapshot(backup)
        self.tool("--restore", backup, home=restored)
        self.assertEqual(kept, snapshot(backup))
        self.up_at(restored)
        self.assertEqual("completed", json.loads(self.at(restored, "show", job, "-o", "json").out)["state"])
        self.assertGreater(json.loads(self.at(restored, "submit", "noop", "-o", "json").out)["job"], job)
        self.assertEqual(len(note["lineage"]), 32)

    def test_a_damaged_backup_is_not_restored(self):
        self.home.up(1)
        self.home.submit("noop", "--sweep", "i=0:99:1", "--wait")
        backup = self.home.directory / "backup"
        self.tool("--backup", backup)
        table = largest(backup / "store", "*.sst")
        copy = table.read_bytes()
        table.unlink()  # it is the same file as the store's
        table.write_bytes(copy)
        flip(table, len(copy) // 3)
        other = self.home.directory / "other"
        run = self.tool("--restore", backup, home=other, expect=INTERNAL)
        self.assertIn("damaged", run.err)
        self.assertFalse((other / "store").exists())

    @unittest.skipIf(os.geteuid() != 0, "only root may mount a small disk")
    def test_a_full_disk_keeps_room_for_results(self):
        disk = self.home.directory / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=260m", "none", str(disk)], check=False).returncode != 0:
            self.skipTest("no small disk can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], check=True)
        home = disk / "home"
        self.up_at(home)
        reserve = home / "store" / "reserve"
        wait_until(reserve.exists, "the reserve")
        gate = self.home.directory / "gate"
        job = json.loads(self.at(home, "submit", "command", "-o", "json", "--", "sh", "-c",
                                 f"while [ ! -e {gate} ]; do sleep 0.02; done; echo end").out)["job"]
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(free - (20 << 20)))
        wait_until(lambda: self.at(home, "submit", "noop", expect=None).code == NOT_NOW, "a refused submission")
        self.assertFalse(reserve.exists())
        gate.touch()
        self.at(home, "wait", job, "--timeout", "20s")
        ballast.unlink()
        wait_until(lambda: self.at(home, "submit", "noop", expect=None).code == DONE, "an accepted submission")
        self.assertTrue(reserve.exists())


if __name__ == "__main__":
    harness.main()

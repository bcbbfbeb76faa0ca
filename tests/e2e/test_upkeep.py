#!/usr/bin/python3
"""Maintenance and the emergency cleanup with real processes, a real disk that is full, and what they say they freed."""
import os
import subprocess
import unittest

import harness
from harness import NOT_NOW, wait_until

EMERGENCY = {"cache_cleared", "bytes_freed", "background_tasks_cancelled", "requeued"}


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def free_bytes(directory):
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize


class UpkeepTest(harness.IcarusTest):
    workers = 2

    def keep(self, number, size, home=None):
        """A cached value of that many bytes that cannot be compressed."""
        home = home or self.home
        return home.wait(home.submit("noop", "--cache", "-p", f"i={number}", "-p", f"bytes={size}", "--priority", "9"))

    def cleanup(self, home=None):
        reply = (home or self.home).json("emergency-cleanup")
        self.assertEqual(EMERGENCY, set(reply))
        return reply

    def test_maintenance_tells_what_has_gone(self):
        first = self.home.json("maintenance")
        self.assertEqual({"cache_expired_cleaned", "background_tasks_cleaned", "memory_released"}, set(first))
        self.home.wait(self.home.submit("noop", "--cache", "-p", "bytes=10", "--sweep", "i=1,2,3", "--ttl", "1s"))
        wait_until(lambda: self.home.json("cache", "stats")["expirations"] == 3, "the expiry")
        self.assertEqual(3, self.home.json("maintenance")["cache_expired_cleaned"])
        self.assertEqual(0, self.home.json("maintenance")["cache_expired_cleaned"])
        self.assertIn("given back", self.home.icarus("maintenance", "-o", "table").out)

    def test_an_emergency_takes_from_low_priority_and_from_nobody_else(self):
        low = self.home.submit("command", "--", "sleep", "300")
        high = self.home.submit("command", "--priority", "9", "--", "sleep", "301")
        for job in (low, high):
            self.home.wait_state(job, "running")
        reply = self.cleanup()
        self.assertEqual((1, 1), (reply["background_tasks_cancelled"], reply["requeued"]))
        self.assertEqual(["pending", "running"], [self.home.job(job)["state"] for job in (low, high)])
        self.assertIn("emergency", self.home.icarus("explain", f"{low}.0", "-o", "table").out)
        self.assertEqual(1, len([process for process in self.home.processes() if "sleep" in process.command]))
        # What is queued, and what was there before, is there after a restart; the rest ends with it.
        self.home.restart_after_kill(2)
        self.home.wait_state(low, "running")
        self.home.icarus("cancel", low, high)

    def test_memory_is_freed_and_the_cache_goes_on(self):
        for number in range(40):
            self.keep(number, 100_000)
        pid = self.home.broker().pid
        before = resident_bytes(pid)
        reply = self.cleanup()
        self.assertGreater(reply["bytes_freed"], 500_000)
        # The answer itself has taken a little.
        self.assertGreaterEqual(before - resident_bytes(pid) + 256_000, reply["bytes_freed"])
        self.assertEqual(40, self.home.json("cache", "stats")["entries"])
        self.assertEqual(1, self.keep(7, 100_000)["cached"])
        self.assertIn("emergency_cleanup", self.home.icarus("events").out)

    @staticmethod
    def fill(path):
        # To the last block: a write that does not fit is made smaller.
        size = 1 << 20
        with open(path, "ab", buffering=0) as file:
            while size >= 4096:
                try:
                    if file.write(bytes(size)) == size:
                        continue
                except OSError:
                    pass
                size //= 2

    def test_on_a_full_disk_stored_entries_go(self):
        self.check_full_disk(to_the_last_byte=False)

    def test_on_a_disk_without_a_byte_stored_entries_go(self):
        self.check_full_disk(to_the_last_byte=True)

    def check_full_disk(self, to_the_last_byte):
        if os.geteuid() != 0:
            self.skipTest("only root may mount a small disk")
        disk = self.home.directory / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m", "none", str(disk)], check=False).returncode != 0:
            self.skipTest("no small disk can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], check=True)
        home = harness.Home()
        self.addCleanup(home.close)
        home.path = disk / "home"
        home.environment["ICARUS_HOME"] = str(home.path)
        home.up(1)
        for number in range(10):
            self.keep(number, 3_000_000, home)
        ballast = disk / "ballast"
        self.fill(ballast)
        wait_until(lambda: home.icarus("submit", "noop", expect=None).code == NOT_NOW, "a refused submission")
        if to_the_last_byte:
            self.fill(disk / "rest")  # what was in reserve, too
        pid = home.broker().pid
        before = free_bytes(disk) - resident_bytes(pid)
        reply = self.cleanup(home)
        self.assertGreaterEqual(reply["cache_cleared"], 10)
        self.assertGreater(reply["bytes_freed"], 20_000_000)
        wait_until(lambda: free_bytes(disk) - resident_bytes(pid) - before >= reply["bytes_freed"], "the space")
        self.assertEqual(0, home.json("cache", "stats")["entries"])
        for file in (ballast, disk / "rest"):
            file.unlink(missing_ok=True)
        wait_until(lambda: home.icarus("submit", "noop", expect=None).code == 0, "an accepted submission")
        self.keep(1, 3_000_000, home)
        self.assertEqual(1, self.keep(1, 3_000_000, home)["cached"])


if __name__ == "__main__":
    harness.main()

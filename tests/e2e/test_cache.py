#!/usr/bin/python3
"""The result cache as its users see it: lists, filters, travel from one home to another, limits, expiry, damage."""
import csv
import glob
import io
import os
import threading
import unittest

import harness
from harness import INCOMPLETE, REFUSED, USAGE, wait_until

POLAR = ("airfoil_polar", "--solver", "panel", "-p", "aoa=0:4:2")


class CacheTest(harness.IcarusTest):
    workers = 2

    def stats(self, home=None):
        return (home or self.home).json("cache", "stats")

    def polars(self, reynolds, *options, target="naca2412", home=None):
        home = home or self.home
        return home.wait(home.submit(*POLAR, "--target", target, "--sweep", f"reynolds={reynolds}", *options))

    def entries(self, *filters):
        return self.home.json("cache", "list", "--limit", "0", *filters)

    def test_it_is_a_table_and_can_be_asked(self):
        self.polars("1e5:5e5:1e5")
        self.polars("1e5", target="naca0012")
        self.assertEqual(6, len(self.entries()))
        self.assertEqual(2, len(self.entries("--where", "reynolds=1e5")))
        self.assertEqual(3, len(self.entries("--where", "reynolds=3e5:")))
        self.assertEqual(0, len(self.entries("--analysis", "noop")))
        sizes = [entry["size_bytes"] for entry in self.entries("--sort", "size")]
        self.assertEqual(sorted(sizes, reverse=True), sizes)
        times = [entry["computed_at"] for entry in self.entries("--sort", "age")]
        self.assertEqual(sorted(times), times)
        largest = self.home.json("cache", "list", "--sort", "cost", "--limit", "1")
        self.assertEqual([max(entry["compute_s"] for entry in self.entries())], [one["compute_s"] for one in largest])
        self.assertEqual((6, 0), (len(self.entries("--age", ":1h")), len(self.entries("--age", "1h:"))))
        self.assertEqual((6, 0), (len(self.entries("--size", "10:1MiB")), len(self.entries("--size", "1MiB:"))))
        self.assertEqual((6, 0), (len(self.entries("--cost", ":10m")), len(self.entries("--cost", "10m:"))))
        self.assertEqual(6, len(self.entries("--solver", "panel", "--since", "1h", "--origin", "computed")))
        entry = self.entries("--where", "reynolds=2e5")[0]
        self.assertEqual(("naca2412", 2e5, [0, 2, 4]), (entry["target"], entry["params"]["reynolds"],
                                                       entry["params"]["aoa"]))
        rows = list(csv.DictReader(io.StringIO(self.home.icarus("cache", "list", "-o", "csv").out)))
        self.assertEqual(18, len(rows))
        self.assertEqual({"key", "target", "solver", "reynolds", "aoa", "cl"}, {"key", "target", "solver", "reynolds",
                                                                               "aoa", "cl"} & set(rows[0]))
        whole = self.home.json("cache", "get", entry["key"][:12])
        self.assertEqual((entry["key"], 3), (whole["key"], len(whole["rows"])))

    def test_entries_are_removed_by_what_they_are(self):
        self.polars("1e5:5e5:1e5")
        self.assertEqual({"removed": 2, "intermediates": 0}, self.home.json("cache", "remove", "--where", "reynolds=4e5,5e5"))
        self.assertEqual({"removed": 1, "intermediates": 0}, self.home.json("cache", "remove", self.entries()[0]["key"]))
        self.assertEqual(2, self.stats()["entries"])
        self.assertEqual(2, self.polars("1e5:5e5:1e5")["cached"])
        self.refused(USAGE, "cache", "remove", words=("filters", "clear"))
        self.refused(USAGE, "cache", "list", "--where", "reynolds=a:b", words=("range",))
        self.refused(USAGE, "cache", "list", "--where", "reynolds=5e5:1e5", words=("ends before it begins",))
        self.refused(USAGE, "cache", "list", "--age", "1h", words=("--age", "FIRST:LAST"))
        self.refused(USAGE, "cache", "list", "--size", "large:", words=("--size", "large"))
        self.refused(USAGE, "cache", "list", "--sort", "beauty", words=("age, size and cost",))
        self.refused(REFUSED, "cache", "get", "0000000000", words=("nothing",))
        self.refused(USAGE, "cache", "get", "xyz", words=("hexadecimal",))
        self.refused(USAGE, "cache", "dance", words=("stats", "export"))
        self.refused(USAGE, "cache", "remove", "--solver", "@", words=("SOLVER@IDENTITY",))
        self.refused(USAGE, "cache", "list", "--solver", "panel@", words=("SOLVER@IDENTITY",))

    def test_nothing_that_was_said_is_passed_over(self):
        self.polars("1e5:3e5:1e5")
        key = self.entries()[0]["key"]
        self.refused(USAGE, "cache", "clear", "--analysis", "nosuch", words=("takes no filters", "remove"))
        self.refused(USAGE, "cache", "clear", key, words=("no key",))
        self.refused(USAGE, "cache", "list", key, words=("no key",))
        self.refused(USAGE, "cache", "verify", "--limit", "3", words=("--limit",))
        self.refused(USAGE, "cache", "list", "--count", "3", words=("--count",))
        self.refused(USAGE, "cache", "export", "x", "--replace", words=("--replace",))
        self.refused(USAGE, "cache", "import", "x", "--analysis", "a", words=("filters",))
        self.refused(USAGE, "cache", "remove", key, "--analysis", "a", words=("not both",))
        self.assertEqual(3, len(self.entries()))
        rows = self.home.icarus("cache", "list", "-o", "csv", "--limit", "2").out.splitlines()
        self.assertEqual(1 + 2 * 3, len(rows), "two polars of three angles")

    def test_an_export_replaces_files_and_nothing_else(self):
        self.polars("1e5")
        target, link, pipe = (self.home.directory / name for name in ("target", "link", "pipe"))
        target.write_text("old")
        link.symlink_to(target)
        os.mkfifo(pipe)
        self.home.icarus("cache", "export", link)
        self.assertTrue(link.is_symlink())
        self.assertTrue(target.read_bytes().startswith(b"icarus-cache"))
        self.refused(USAGE, "cache", "export", pipe, words=("no regular file",))
        self.assertTrue(pipe.is_fifo())

    def test_results_travel_to_another_home(self):
        other = harness.Home()
        self.addCleanup(other.close)
        self.polars("1e5:3e5:1e5")
        files = self.home.submit("command", "--cache", "--output", "big", "--", "sh", "-c", "head -c 300000 /dev/zero > big")
        self.home.wait(files)
        path = self.home.directory / "results.icarus"
        self.assertEqual({"exported": 4, "left_out": 0}, self.home.json("cache", "export", path))
        other.up(1)
        report = {"imported": 4, "present": 0, "conflicts": 0, "rejected": 0}
        self.assertEqual(report, other.json("cache", "import", path))
        self.assertEqual(dict(report, imported=0, present=4), other.json("cache", "import", path))
        job = self.polars("1e5:3e5:1e5", home=other)
        self.assertEqual(3, job["cached"])
        self.assertEqual("import", other.json("result", f"{job['job']}.0")["meta"]["via"])
        self.assertEqual(4, len(other.json("cache", "list", "--origin", "import")))
        job = other.submit("command", "--cache", "--output", "big", "--", "sh", "-c", "head -c 300000 /dev/zero > big")
        self.assertEqual(1, other.wait(job)["cached"])
        other.icarus("get", f"{job}.0", "-d", other.directory / "out")
        self.assertEqual(300_000, os.path.getsize(other.directory / "out" / "big"))

    @unittest.skipUnless(harness.LONG, "a file is spared for a minute")
    def test_files_go_with_the_last_entry_that_names_them(self):
        other = harness.Home()
        self.addCleanup(other.close)

        def files():
            return glob.glob(str(other.path / "blobs" / "??" / "*"))

        command = ("command", "--cache", "--output", "big", "--", "sh", "-c", "head -c 3000000 /dev/zero > big")
        self.home.wait(self.home.submit(*command))
        path = self.home.directory / "results.icarus"
        self.home.icarus("cache", "export", path)
        other.up(1)
        other.icarus("cache", "import", path)
        self.assertEqual(1, len(files()))
        other.icarus("cache", "clear")
        wait_until(lambda: not files(), "the file is removed", timeout=150)
        # What a job names stays, and what it has named once can be computed and sent again.
        job = other.submit(*command)
        self.assertEqual(0, other.wait(job)["cached"])
        other.icarus("cache", "clear")
        other.icarus("get", f"{job}.0", "-d", other.directory / "out")
        self.assertEqual(3_000_000, os.path.getsize(other.directory / "out" / "big"))

    def test_a_damaged_file_is_found_and_stored_again(self):
        command = ("command", "--cache", "--output", "big", "--", "sh", "-c", "head -c 3000000 /dev/zero > big")
        self.home.wait(self.home.submit(*command))
        (damaged,) = glob.glob(str(self.home.path / "blobs" / "??" / "*"))
        os.chmod(damaged, 0o600)
        with open(damaged, "r+b") as file:
            file.write(b"?")
        self.assertEqual(1, len(self.home.json("cache", "verify", expect=None)["damaged"]))
        self.assertFalse(os.path.exists(damaged))
        job = self.home.submit(*command)
        self.assertEqual(0, self.home.wait(job)["cached"])
        self.home.icarus("get", f"{job}.0", "-d", self.home.directory / "out")
        self.assertEqual(3_000_000, os.path.getsize(self.home.directory / "out" / "big"))

    def test_a_cached_file_that_is_lost_is_computed_again(self):
        command = ("command", "--cache", "--output", "big", "--", "sh", "-c", "head -c 3000000 /dev/zero > big")
        self.home.wait(self.home.submit(*command))
        (lost,) = glob.glob(str(self.home.path / "blobs" / "??" / "*"))
        os.remove(lost)
        job = self.home.submit(*command)
        self.assertEqual(0, self.home.wait(job)["cached"])
        self.home.icarus("get", f"{job}.0", "-d", self.home.directory / "out")
        self.assertEqual(3_000_000, os.path.getsize(self.home.directory / "out" / "big"))
        self.assertEqual(1, self.stats()["damaged"])

    def test_a_file_that_is_damaged_or_ends_early_is_told(self):
        self.polars("1e5:3e5:1e5")
        path = self.home.directory / "results.icarus"
        self.home.icarus("cache", "export", path)
        whole = path.read_bytes()
        for name, content in (("cut", whole[:-20]), ("flipped", whole[:200] + b"?" + whole[201:]), ("other", b"hello")):
            broken = self.home.directory / name
            broken.write_bytes(content)
            run = self.home.icarus("cache", "import", broken, "-o", "json", expect=None)
            self.assertNotEqual(0, run.code, str(run))
            self.assertIn(str(broken), run.error["message"])

    def test_limits_hold_at_once_and_the_oldest_goes(self):
        self.home.icarus("config", "set", "cache.max_entries", "5")
        for reynolds in range(1, 7):
            self.polars(f"{reynolds}e5")
        stats = self.stats()
        self.assertEqual((5, 1), (stats["entries"], stats["evictions"]))
        self.assertEqual([], self.entries("--where", "reynolds=1e5"))
        self.home.icarus("config", "set", "cache.max_entries", "2")
        self.assertEqual((2, 4), (self.stats()["entries"], self.stats()["evictions"]))

    def test_what_was_used_last_stays_also_after_a_kill(self):
        self.home.icarus("config", "set", "cache.max_entries", "5")
        for reynolds in (1, 2, 3, 4, 5, 1, 2):
            self.polars(f"{reynolds}e5")
        self.home.restart_after_kill(2)
        self.polars("6e5")
        self.assertEqual([], self.entries("--where", "reynolds=3e5"))
        self.assertEqual(5, self.polars("1e5,2e5,4e5,5e5,6e5")["cached"])

    def test_what_was_removed_does_not_come_back_after_a_kill(self):
        self.polars("1e5:5e5:1e5")
        self.assertEqual({"removed": 2, "intermediates": 0}, self.home.json("cache", "remove", "--where", "reynolds=1e5,2e5"))
        self.home.restart_after_kill(2)
        self.assertEqual(3, self.stats()["entries"])
        self.home.icarus("cache", "clear")
        self.home.restart_after_kill(2)
        self.assertEqual(0, self.stats()["entries"])

    def test_the_disk_is_given_back(self):
        def size():
            names = glob.glob(str(self.home.path / "cache" / "*"))
            return sum(os.path.getsize(name) for name in names if os.path.exists(name))

        self.home.icarus("config", "set", "cache.max_entries", "5")
        for number in range(6):
            self.home.wait(self.home.submit("noop", "--cache", "-p", f"i={number}", "-p", "bytes=4000000"))
        wait_until(lambda: size() > 12_000_000, "values in files")
        self.home.icarus("config", "set", "cache.max_entries", "1")
        self.assertEqual(5, self.stats()["evictions"])
        wait_until(lambda: size() < 10_000_000, "the disk's space")

    def test_what_expires_goes_by_itself_and_counts_last(self):
        self.polars("1e5", "--ttl", "1s")
        wait_until(lambda: self.stats()["entries"] == 0, "the expiry")
        self.assertEqual(1, self.stats()["expirations"])
        self.assertEqual(0, self.polars("1e5")["cached"])
        self.assertEqual(1, self.polars("1e5")["cached"])
        before = self.stats()
        self.assertEqual((1, 2, 1), (before["hits"], before["misses"], before["entries"]))
        self.home.restart_after_kill(2)
        self.assertEqual(before, self.stats(), "the counters outlive the broker")

    def test_many_ask_for_the_same_at_once(self):
        jobs = []
        ask = lambda: jobs.append(self.polars("1e5:1e7:1e5"))
        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(16, len(jobs))
        stats = self.stats()
        self.assertEqual((100, 1500), (stats["misses"], stats["hits"] + stats["joined"]))
        results = {str([(r["columns"], r["rows"]) for r in self.home.json("result", job["job"])["results"]])
                   for job in jobs}
        self.assertEqual(1, len(results), "everybody has the same")

    def test_a_large_sweep_comes_from_the_cache_as_a_whole(self):
        sweep = ("noop", "--cache", "--sweep", "i=1:20000:1", "-p", "bytes=100")
        self.home.wait(self.home.submit(*sweep))
        self.assertEqual(20_000, self.home.wait(self.home.submit(*sweep))["cached"])
        stats = self.stats()
        self.assertEqual((20_000, 20_000, 0), (stats["entries"], stats["hits"], stats["dropped_puts"]))

    def test_a_failure_is_known_until_somebody_doubts_it(self):
        beyond = ("airfoil_polar", "--solver", "panel", "--target", "naca0012", "-p", "mach=0.69",
                  "-p", "reynolds=1e6", "-p", "aoa=20")
        for cached in (0, 1, 1):
            job = self.home.wait(self.home.submit(*beyond), expect=INCOMPLETE)
            self.assertEqual(("failed", cached), (job["state"], job["cached"]))
        self.assertEqual("no_convergence", self.home.json("cache", "list")[0]["error"]["kind"])
        self.home.icarus("retry", str(job["job"]))
        self.assertEqual(0, self.home.wait(job["job"], expect=INCOMPLETE)["cached"])
        self.assertEqual(0, self.home.wait(self.home.submit(*beyond, "--refresh"), expect=INCOMPLETE)["cached"])
        self.assertEqual({"exported": 0, "left_out": 0},
                         self.home.json("cache", "export", self.home.directory / "none.icarus"))

    def test_points_of_an_overlapping_polar_are_used_again(self):
        polar = ("airfoil_polar", "--solver", "panel", "--target", "naca2412", "-p", "reynolds=1e6")
        angles = lambda first, last: (*polar, "-p", f"aoa={first}:{last}:1")
        self.home.wait(self.home.submit(*angles(0, 10)))
        job = self.home.wait(self.home.submit(*angles(5, 15)))
        self.assertEqual(0, job["cached"])
        self.assertEqual(1, self.stats()["intermediate_hits"])
        kept = self.home.json("cache", "list", "--origin", "intermediate")
        self.assertEqual([16 * 24], [entry["size_bytes"] for entry in kept])
        self.assertEqual(2, len(self.entries()), "they are no results")
        reused = self.home.json("result", f"{job['job']}.0")["rows"]
        fresh = self.home.wait(self.home.submit(*angles(5, 15), "--no-cache"))
        self.assertEqual(reused, self.home.json("result", f"{fresh['job']}.0")["rows"])
        self.assertEqual({"removed": 2, "intermediates": 1}, self.home.json("cache", "remove", "--solver", "panel"))
        self.assertEqual([], self.home.json("cache", "list", "--origin", "intermediate"))

    def test_a_damaged_value_is_found_and_computed_anew(self):
        self.polars("1e5:8e5:1e5")
        self.home.down()
        for table in glob.glob(str(self.home.path / "cache" / "*.log")):
            with open(table, "r+b") as file:
                content = file.read()
                at = content.find(b"naca")
                file.seek(len(content) // 2)
                file.write(b"????")
                self.assertGreater(len(content), at)
        self.home.up(2)
        self.home.icarus("cache", "verify", expect=(0, INCOMPLETE))
        self.assertEqual("completed", self.polars("1e5:8e5:1e5")["state"])
        self.assertEqual(8, self.stats()["entries"])

    def test_an_audit_computes_again_and_compares(self):
        self.polars("1e5:4e5:1e5")
        report = self.home.json("cache", "audit", "--count", "3")
        self.assertEqual((3, [], []), (report["audited"], report["differ"], report["failed"]))
        self.assertEqual({"checked": 4, "damaged": []}, self.home.json("cache", "verify"))


if __name__ == "__main__":
    harness.main()

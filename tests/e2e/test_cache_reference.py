#!/usr/bin/python3
"""What the Python reference's cache promises (research: its tests and its code), held over the wire and over restarts,
and where it went wrong: keys without solver parameters, solver or file content."""
import harness
from harness import wait_until

POLAR = ("airfoil_polar", "--solver", "panel", "-p", "aoa=0:4:2")


class ReferenceCacheTest(harness.IcarusTest):
    workers = 2

    def stats(self):
        return self.home.json("cache", "stats")

    def keep(self, number, *options):
        """A value under the key `number`; the job."""
        return self.home.wait(self.home.submit("noop", "--cache", "-p", f"i={number}", "-p", "bytes=1000", *options))

    def result(self, job):
        return self.home.json("result", f"{job['job']}.0")

    def test_what_is_put_is_got_and_counted(self):
        first = self.keep(1)
        self.assertEqual((0, 1), (first["cached"], self.stats()["entries"]))
        for _ in range(2):
            again = self.keep(1)
            self.assertEqual(1, again["cached"])
            self.assertEqual(self.result(first)["rows"], self.result(again)["rows"])
        stats = self.stats()
        self.assertEqual((2, 1), (stats["hits"], stats["misses"]))
        self.assertAlmostEqual(66.7, stats["hit_rate_percent"], 1)
        self.home.restart_after_kill(2)
        self.assertEqual(1, self.keep(1)["cached"])
        self.assertEqual((3, 1), (self.stats()["hits"], self.stats()["misses"]))

    def test_the_least_recently_used_of_five_goes(self):
        self.home.icarus("config", "set", "cache.max_entries", "5")
        for number in range(6):
            self.keep(number)
        stats = self.stats()
        self.assertEqual((5, 1, 100), (stats["entries"], stats["evictions"], stats["utilization_percent"]))
        self.assertEqual(1, self.keep(5)["cached"])
        self.home.restart_after_kill(2)
        self.assertEqual(1, self.stats()["evictions"])
        self.assertEqual(0, self.keep(0)["cached"])

    def test_an_entry_is_gone_a_moment_after_its_time(self):
        self.keep(1, "--ttl", "1s")
        wait_until(lambda: self.stats()["entries"] == 0, "the expiry")
        self.assertEqual(0, self.keep(1)["cached"])
        self.home.icarus("config", "set", "cache.ttl.noop", "1")
        self.keep(2)
        self.home.restart_after_kill(2)
        wait_until(lambda: self.stats()["entries"] == 1, "the expiry")
        self.assertEqual((2, 0), (self.stats()["expirations"], self.keep(2)["cached"]))

    def test_a_value_larger_than_the_cache_is_delivered_and_refused(self):
        self.home.icarus("config", "set", "cache.max_size_mb", "1")
        self.keep(1)
        job = self.home.wait(self.home.submit("noop", "--cache", "-p", "i=2", "-p", "bytes=2000000"))
        self.assertEqual("completed", job["state"])
        stats = self.stats()
        self.assertEqual((1, 0, 1), (stats["entries"], stats["evictions"], stats["dropped_puts"]))

    def test_both_limits_hold(self):
        self.home.icarus("config", "set", "cache.max_size_mb", "1")
        for number in range(4):
            self.home.wait(self.home.submit("noop", "--cache", "-p", f"i={number}", "-p", "bytes=400000"))
            self.assertLessEqual(self.stats()["size_mb"], 1)
        self.assertEqual((2, 2), (self.stats()["entries"], self.stats()["evictions"]))

    def test_a_value_is_replaced_and_clearing_keeps_the_counters(self):
        polar = lambda *options: self.home.wait(
            self.home.submit(*POLAR, "--target", "naca0012", "-p", "reynolds=1e6", *options))
        polar()
        first = self.result(polar())["meta"]["computed_at"]
        self.assertEqual(0, polar("--refresh")["cached"])
        self.assertNotEqual(first, self.result(polar())["meta"]["computed_at"])
        self.assertEqual(1, self.stats()["entries"])
        self.assertEqual({"cleared": 1}, self.home.json("cache", "clear"))
        stats = self.stats()
        self.assertEqual((0, 2), (stats["entries"], stats["hits"]))

    def test_the_key_has_what_the_reference_left_out(self):
        foil = self.home.directory / "foil.dat"
        foil.write_text("foil\n" + "\n".join(f"{x} {y}" for x, y in (
            (1, 0), (0.75, 0.04), (0.5, 0.06), (0.25, 0.06), (0.1, 0.045), (0, 0), (0.1, -0.045), (0.25, -0.06),
            (0.5, -0.06), (0.75, -0.04), (1, 0))) + "\n")
        polar = lambda *options: self.home.wait(self.home.submit(*POLAR, "--target", foil, *options))["cached"]
        one = ("-p", "reynolds=1e6", "-p", "mach=0.1")
        self.assertEqual(0, polar(*one))
        self.assertEqual(1, polar("-p", "mach=0.10", "-p", "reynolds=1000000"), "order and spelling")
        self.assertEqual(1, polar(*one, "-p", "ncrit=9"), "a default that is written out")
        self.assertEqual(0, polar(*one, "-p", "panels=120"), "a parameter of the solver")
        foil.write_text(foil.read_text().replace("0.5 0.06", "0.5 0.061"))
        self.assertEqual(0, polar(*one), "the file's content")


if __name__ == "__main__":
    harness.main()

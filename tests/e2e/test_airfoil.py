#!/usr/bin/python3
"""The main job: polars of XFOIL through the queue equal XFOIL run by hand; the second time they come from the cache."""
import math
import os
import pathlib
import shutil
import statistics
import subprocess
import unittest

import harness
from harness import BIN

SANITIZED = harness.SLOW > 1
TARGETS, REYNOLDS = ["naca0012", "naca2412"], [200000, 500000, 1000000]
MAIN = ("submit", "airfoil_polar", "--solver", "xfoil", "--target", "naca0012", "--target", "naca2412",
        "--sweep", "reynolds=2e5,5e5,1e6", "-p", "aoa=-4:12:1")
COLUMNS = ["aoa", "cl", "cd", "cdp", "cm", "xtr_top", "xtr_bottom"]


def shim():
    """The preload library that the build makes, so that Debian's XFOIL runs without a display."""
    found = os.environ.get("ICARUS_NOFPE")
    candidates = [pathlib.Path(found)] if found else sorted(BIN.parent.rglob("*nofpe*.so"))
    if not candidates:
        raise unittest.SkipTest("the shim library is not built")
    return str(candidates[0])


def by_hand(directory, target, reynolds, last=12, first=-4, march=0.5):
    """{angle: row} of the polar file that XFOIL writes when it is marched outward from 0 on the grid."""
    directory.mkdir(parents=True)
    upper = f"ASEQ 0 {last:g} {march:g}"
    lower = ["INIT", f"ASEQ {-march:g} {first:g} {-march:g}"] if first < 0 else []
    script = ["PLOP", "G F", "", f"NACA {target[4:]}", "PANE", "OPER", f"VISC {reynolds}", "MACH 0", "ITER 100",
              "VPAR", "N 9", "XTR 1 1", "", "PACC", "polar.txt", "", upper, *lower, "PACC", "", "QUIT", ""]
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    environment.update(LD_PRELOAD=shim(), GFORTRAN_UNBUFFERED_ALL="1")
    subprocess.run(["xfoil"], input="\n".join(script).encode(), cwd=directory, env=environment, timeout=120,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    lines = (directory / "polar.txt").read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.strip().startswith("------")) + 1
    rows = [[float(cell) for cell in line.split()[:7]] for line in lines[start:] if line.strip()]
    return {row[0]: row for row in rows}


@unittest.skipUnless(shutil.which("xfoil"), "xfoil is not installed")
class MainJobTest(harness.IcarusTest):
    workers = 2

    def polars(self, *arguments):
        """{(target, reynolds): result} of a submission that is waited for."""
        job = self.home.json("submit", "airfoil_polar", "--solver", "xfoil", *arguments, "--wait", timeout=120)
        self.assertEqual("completed", job["state"])
        return {(one["target"], one["params"]["reynolds"]): one for one in self.home.json("result", job["job"])["results"]}

    def test_six_polars_equal_xfoil_by_hand(self):
        job = self.home.json(*MAIN, "--wait", timeout=120)
        self.assertEqual(("completed", 6, 0), (job["state"], job["tasks"]["completed"], job["cached"]))
        results = self.home.json("result", job["job"])["results"]
        self.assertEqual([(target, reynolds) for target in TARGETS for reynolds in REYNOLDS],
                         [(one["target"], one["params"]["reynolds"]) for one in results])
        for one in results:
            target, reynolds = one["target"], int(one["params"]["reynolds"])
            with self.subTest(target=target, reynolds=reynolds):
                hand = by_hand(self.home.directory / f"hand-{target}-{reynolds}", target, reynolds)
                self.assertEqual(COLUMNS, one["columns"])
                mine = {row[0]: row for row in one["rows"]}
                asked = [float(angle) for angle in range(-4, 13)]
                self.assertEqual(asked, sorted(list(mine) + [point["aoa"] for point in one["missing"]]))
                for angle in asked:
                    if angle in hand:
                        self.assertEqual(hand[angle], mine.get(angle), f"at {angle}")
                self.assertEqual("xfoil", one["meta"]["solver"].split("@")[0])
                self.assertEqual("computed", one["meta"]["via"])

    def test_summary_follows_from_the_rows(self):
        one = self.polars("--target", "naca2412", "-p", "reynolds=1e6", "-p", "aoa=-4:12:1")[("naca2412", 1000000)]
        lift = [row[1] for row in one["rows"]]
        self.assertEqual(max(lift), one["summary"]["cl_max"])
        self.assertEqual(min(row[2] for row in one["rows"]), one["summary"]["cd_min"])
        self.assertAlmostEqual(max(row[1] / row[2] for row in one["rows"]), one["summary"]["l_over_d_max"], places=4)
        self.assertTrue(math.isclose(one["summary"]["aoa_zero_lift"], -2.2, abs_tol=0.1))
        self.assertTrue(math.isclose(one["summary"]["cl_alpha_per_deg"], 0.11, abs_tol=0.01))

    def test_an_angle_has_one_value_whichever_angles_were_asked(self):
        everything = self.polars("--target", "naca2412", "-p", "reynolds=5e5", "-p", "aoa=-4:12:0.25")
        full = {row[0]: row for row in everything[("naca2412", 500000)]["rows"]}
        for asked in ("4", "-3", "3.25,11", "7.75", "-4:0:1", "12"):
            with self.subTest(asked=asked):
                part = self.polars("--target", "naca2412", "-p", "reynolds=5e5", "-p", f"aoa={asked}")
                rows = part[("naca2412", 500000)]["rows"]
                self.assertTrue(rows)
                for row in rows:
                    self.assertEqual(full[row[0]], row)

    def again(self):
        job = self.home.json(*MAIN, "--wait")
        self.assertEqual((6, "completed"), (job["cached"], job["state"]))
        return job["job"]

    def test_the_second_time_all_six_are_cached_also_after_down_and_up(self):
        first = self.home.json(*MAIN, "--wait", timeout=120)
        before = self.home.json("result", first["job"])["results"]
        for restart in (False, True):
            if restart:
                self.home.down()
                self.home.up(2)
            job = self.again()
            after = self.home.json("result", job)["results"]
            self.assertEqual([one["rows"] for one in before], [one["rows"] for one in after])
            self.assertEqual({"cache"}, {one["meta"]["via"] for one in after})
            self.assertEqual([one["meta"]["computed_at"] for one in before], [one["meta"]["computed_at"] for one in after])
        self.assertGreaterEqual(self.home.json("cache", "stats")["entries"], 6)

    @unittest.skipIf(SANITIZED, "a sanitizer slows our code, not the solver")
    def test_the_cache_is_fifty_times_faster_than_computing(self):
        computed = self.home.icarus(*MAIN, "--wait", timeout=120).seconds
        cached = statistics.median(self.home.icarus(*MAIN, "--wait").seconds for _ in range(7))
        self.assertGreater(computed / cached, 50, f"computed {computed:.3f} s, cached {cached:.4f} s")

    def key(self, *arguments):
        job = self.home.json("submit", "airfoil_polar", "--solver", "xfoil", *arguments, "--wait", timeout=60)
        return self.home.json("result", f"{job['job']}.0")["meta"]["key"]

    def test_the_key_is_of_what_is_meant_not_of_how_it_is_written(self):
        base = ("--target", "naca0012", "-p", "aoa=0:2:1")
        reference = self.key(*base, "-p", "reynolds=1e6")
        same = [("-p", "reynolds=1000000"), ("-p", "reynolds=1.0e6"), ("-p", "reynolds=1e6", "-p", "ncrit=9"),
                ("-p", "reynolds=1e6", "-p", "mach=0", "-p", "panels=160", "--priority", "3", "--name", "x")]
        for arguments in same:
            with self.subTest(arguments=arguments):
                self.assertEqual(reference, self.key(*base, *arguments))
        self.assertEqual(reference, self.key("--target", "NACA 0012", "-p", "reynolds=1e6", "-p", "aoa=2,0,1,1"))
        for arguments in [("-p", "ncrit=5"), ("-p", "reynolds=1e6", "-p", "march=1"), ("-p", "mach=0.1")]:
            with self.subTest(arguments=arguments):
                extra = () if any("reynolds" in word for word in arguments) else ("-p", "reynolds=1e6")
                self.assertNotEqual(reference, self.key(*base, *extra, *arguments))
        self.assertNotEqual(reference, self.key("--target", "naca2412", "-p", "reynolds=1e6", "-p", "aoa=0:2:1"))

    def test_another_file_under_the_same_name_is_another_key(self):
        file = self.home.directory / "work" / "foil.dat"
        keys = []
        for thickness in (0.12, 0.10, 0.12):
            file.write_text(coordinates(thickness), encoding="utf-8")
            keys.append(self.key("--target", "./foil.dat", "-p", "reynolds=1e6", "-p", "aoa=0:2:1"))
        self.assertEqual(keys[0], keys[2])
        self.assertNotEqual(keys[0], keys[1])

    def test_another_build_of_the_solver_is_another_key(self):
        base = ("--target", "naca0012", "-p", "aoa=0:2:1", "-p", "reynolds=1e6")
        before = self.key(*base)
        other = self.home.directory / "xfoil-other"
        other.write_bytes(pathlib.Path(shutil.which("xfoil")).read_bytes() + b"\0")
        other.chmod(0o755)
        self.home.down()
        self.home.environment["ICARUS_XFOIL"] = str(other)
        self.home.up(2)
        identity = self.home.json("workers")[0]["solvers"]["xfoil"]
        self.assertNotEqual(before, self.key("--target", "naca0012", "-p", "aoa=0:2:1", "-p", "reynolds=1e6",
                                             "--solver", f"xfoil@{identity}"))

    def test_a_solver_that_is_replaced_under_its_worker_computes_nothing_under_the_old_name(self):
        program = self.home.directory / "xfoil-that-changes"
        content = pathlib.Path(shutil.which("xfoil")).read_bytes()
        program.write_bytes(content)
        program.chmod(0o755)
        self.home.down()
        self.home.environment["ICARUS_XFOIL"] = str(program)
        self.home.up(1)
        build = lambda: self.home.json("workers")[0]["solvers"]["xfoil"]
        polar = ("airfoil_polar", "--solver", "xfoil", "--target", "naca0012", "-p", "aoa=0:2:1")
        self.home.wait(self.home.submit(*polar, "-p", "reynolds=1e6"))
        old = build()
        replacement = self.home.directory / "new"
        replacement.write_bytes(content + b"\0")
        replacement.chmod(0o755)
        replacement.rename(program)  # as a package manager does
        waits = self.home.submit(*polar, "-p", "reynolds=2e6")
        harness.wait_until(lambda: build() != old, "the worker tells of the new build")
        self.assertEqual("pending", self.home.job(waits)["state"])
        self.assertIn(old, self.home.icarus("explain", f"{waits}.0", "-o", "table").out)
        job = self.home.submit(*polar, "-p", "reynolds=2e6", "--solver", f"xfoil@{build()}")
        self.home.wait(job)
        self.assertEqual({1e6: old.split("+")[1], 2e6: build().split("+")[1]},
                         {entry["params"]["reynolds"]: entry["identity"].split("+")[1]
                          for entry in self.home.json("cache", "list")})
        self.home.icarus("cancel", waits)

    def test_csv_and_plot(self):
        job = self.home.json(*MAIN, "--wait", timeout=120)["job"]
        lines = self.home.icarus("result", job, "-o", "csv").out.splitlines()
        self.assertEqual(1 + 6 * 17, len(lines))
        plot = self.home.directory / "polars.svg"
        self.home.icarus("result", job, "--plot", plot)
        self.assertIn("<svg", plot.read_text(encoding="utf-8")[:2000])

    def test_a_sweep_with_an_impossible_point_completes_with_a_note(self):
        job = self.home.json("submit", "airfoil_polar", "--solver", "xfoil", "--target", "naca0006", "-p", "reynolds=1e5",
                             "-p", "aoa=0,25", "--wait", timeout=120)
        one = self.home.json("result", f"{job['job']}.0")
        self.assertEqual("completed", job["state"])
        self.assertEqual([0.0], [row[0] for row in one["rows"]])
        self.assertEqual([25], [point["aoa"] for point in one["missing"]])
        self.assertTrue(one["missing"][0]["reason"])


class PanelTest(harness.IcarusTest):
    """The built-in kernel needs no program."""
    workers = 1

    def test_a_panel_polar(self):
        job = self.home.json("submit", "airfoil_polar", "--solver", "panel", "--target", "naca2412", "-p", "reynolds=1e6",
                             "-p", "viscous=false", "-p", "aoa=0,4,8", "--wait")
        one = self.home.json("result", f"{job['job']}.0")
        for row, lift in zip(one["rows"], (0.2602, 0.7425, 1.2211), strict=True):
            self.assertAlmostEqual(lift, row[1], delta=0.004)
            self.assertIsNone(row[2])


def coordinates(thickness, points=60):
    """A symmetric NACA section in Selig order."""
    def half(x):
        return 5 * thickness * (0.2969 * math.sqrt(x) - 0.126 * x - 0.3516 * x**2 + 0.2843 * x**3 - 0.1036 * x**4)
    stations = [(1 - math.cos(math.pi * i / points)) / 2 for i in range(points + 1)]
    upper = [(x, half(x)) for x in reversed(stations)]
    lower = [(x, -half(x)) for x in stations[1:]]
    return "foil\n" + "".join(f"{x:.6f} {y:.6f}\n" for x, y in upper + lower)


if __name__ == "__main__":
    harness.main()

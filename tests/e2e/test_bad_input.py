#!/usr/bin/python3
"""Wrong input is refused at once, with one line that names it; nothing is queued, and the broker goes on."""
import os

import harness
from harness import REFUSED, USAGE

POLAR = ("submit", "airfoil_polar", "-p", "reynolds=1e6", "-p", "aoa=0:4:1")
GOOD = POLAR + ("--target", "naca0012")

# What is wrong -> arguments, words of the message, the field that it names.
TABLE = {
    "unknown analysis": (("submit", "airfoil_polr"), ["airfoil_polr", "airfoil_polar"], None),
    "unknown solver": (GOOD + ("--solver", "xfoyl"), ["xfoyl"], None),
    "unknown parameter": (GOOD + ("-p", "renolds=1e6"), ["renolds", "reynolds"], "renolds"),
    "unknown airfoil": (POLAR + ("--target", "naca99x9"), ["naca99x9"], "target"),
    "no target": (POLAR, ["target"], "target"),
    "missing parameter": (("submit", "airfoil_polar", "--target", "naca0012"), ["reynolds"], "reynolds"),
    "out of range": (GOOD + ("-p", "mach=0.95"), ["mach", "0.9"], "mach"),
    "negative": (GOOD + ("-p", "reynolds=-1"), ["reynolds"], "reynolds"),
    "wrong type": (GOOD + ("-p", "panels=many"), ["panels"], "panels"),
    "not an integer": (GOOD + ("-p", "panels=100.5"), ["panels"], "panels"),
    "not a truth value": (GOOD + ("-p", "viscous=maybe"), ["viscous"], "viscous"),
    "not a choice": (GOOD + ("-p", "geometry=round"), ["geometry"], "geometry"),
    "not a number": (GOOD + ("-p", "mach=nan"), ["mach"], "mach"),
    "infinite": (GOOD + ("-p", "reynolds=inf"), ["reynolds"], "reynolds"),
    "a range in the wrong order": (GOOD + ("-p", "aoa=-4:0.5:12"), ["first:last:step"], "aoa"),
    "a step of zero": (GOOD + ("-p", "aoa=0:4:0"), ["aoa"], "aoa"),
    "an axis out of range": (GOOD + ("--sweep", "mach=0,0.5,2"), ["mach"], "mach"),
    "an empty axis": (GOOD + ("--sweep", "mach="), ["mach"], None),
    "the same axis twice": (GOOD + ("--sweep", "mach=0,0.1", "--sweep", "mach=0.2,0.3"), ["mach"], None),
    "priority": (GOOD + ("--priority", "5000"), ["priority", "1000"], None),
    "timeout": (GOOD + ("--timeout", "soon"), ["soon"], None),
    "cpus": (GOOD + ("--cpus", "0"), ["cpus"], None),
    "memory": (GOOD + ("--memory", "lots"), ["lots"], None),
    "a value without a name": (GOOD + ("-p", "7"), ["7"], None),
    "unknown option": (GOOD + ("--prioritty", "5"), ["prioritty"], None),
    "unknown verb": (("sumbit", "noop"), ["sumbit"], None),
    "a command without a command": (("submit", "command"), ["command"], None),
    "a selector": (("show", "x7"), ["x7"], None),
}
TOO_MANY_TASKS = ("submit", "noop", "--sweep", "i=1:100000:1", "--sweep", "bytes=0:100000:1")

# Name -> content of a coordinate file that must be refused.
COORDINATES = {
    "empty.dat": "",
    "nan.dat": "nan\n1 0\n0.5 nan\n0 0\n" + "".join(f"{x / 20} {-x / 200}\n" for x in range(1, 20)),
    "three.dat": "1 0\n0.5 0.1\n0 0\n",
    "words.dat": "this is not\nan airfoil at all\n",
    "large.dat": "0.5 0.1\n" * 1_300_000,
    "binary.dat": "\x00\x01\x02\x03" * 500,
    "line.dat": "".join(f"{x / 20} 0\n" for x in range(20)),
}


class BadInputTest(harness.IcarusTest):
    workers = 1

    def test_every_wrong_input_is_refused_by_name(self):
        for name, (arguments, words, field) in TABLE.items():
            with self.subTest(name):
                self.refused(USAGE, *arguments, words=words, field=field)
        self.assertEqual([], self.home.json("list"))

    def test_the_error_is_one_line_on_stderr_without_json(self):
        run = self.home.icarus(*GOOD, "-p", "mach=0.95", expect=USAGE)
        self.assertEqual("", run.out)
        self.assertEqual(1, len(run.err.strip().splitlines()), str(run))

    def test_coordinate_files_are_refused_by_name(self):
        for name, content in COORDINATES.items():
            with self.subTest(name):
                (self.home.directory / "work" / name).write_text(content, encoding="utf-8")
                run = self.refused(USAGE, *POLAR, "--target", f"./{name}", words=[name])
                self.assertLess(run.seconds, 5 * harness.SLOW)

    def test_a_coordinate_file_that_is_not_there(self):
        self.refused(USAGE, *POLAR, "--target", "./nowhere.dat", words=["nowhere.dat"])

    def test_a_directory_as_coordinate_file(self):
        self.refused(USAGE, *POLAR, "--target", "./", words=["./"])

    def test_places_that_cannot_be_written_are_the_users_mistake(self):
        (self.home.directory / "work" / "file").write_text("x")
        job = self.home.json(*GOOD, "--solver", "panel", "--wait")["job"]
        self.refused(USAGE, "result", job, "--plot", "/nonexistent/p.svg", words=["/nonexistent"], field="plot")
        command = self.home.submit("command", "--output", "out", "--wait", "--", "sh", "-c", "echo 1 > out")
        self.refused(USAGE, "get", f"{command}.0", "-d", "file/below", words=["file"], field="directory")

    def test_access_files_that_are_none(self):
        (self.home.directory / "work" / "bad.json").write_text("[1]")
        for name, words in (("bad.json", ["bad.json", "access file"]), (".", ["directory"])):
            self.refused(USAGE, "list", "--access", name, words=words, field="access")
        self.refused(harness.NO_BROKER, "list", "--access", "./nowhere.json", words=["nowhere.json"])

    def test_an_id_that_is_another_request(self):
        job = self.home.submit("noop", "--sweep", "i=0:2:1", "--id", "nightly")
        self.assertEqual(job, self.home.submit("noop", "--sweep", "i=0:2:1", "--id", "nightly", "--priority", "3"))
        self.refused(REFUSED, "submit", "noop", "--sweep", "i=0:3:1", "--id", "nightly", words=["nightly", f"job {job}"],
                     field="id")

    def test_a_pipe_that_nobody_writes_to_does_not_hang(self):
        os.mkfifo(self.home.directory / "work" / "pipe.dat")
        self.refused(USAGE, *POLAR, "--target", "./pipe.dat", words=["pipe.dat"], timeout=10)

    def test_rows_and_an_option_that_both_set_a_parameter(self):
        (self.home.directory / "work" / "rows.csv").write_text("target,mach\nnaca0012,0.1\nnaca0012,0.2\n")
        self.refused(USAGE, *POLAR, "--from", "rows.csv", "-p", "mach=0.3", words=["mach", "rows.csv"], field="mach")

    def test_an_unknown_setting_names_the_list(self):
        self.refused(USAGE, "config", "set", "foo.bar", "1", words=["foo.bar", "icarus config list"])

    def test_a_sweep_beyond_the_limit(self):
        self.refused(REFUSED, *TOO_MANY_TASKS, words=["limit", "100000000"])

    def test_a_task_that_is_not_there(self):
        job = self.home.submit("noop", "--wait")
        self.refused(REFUSED, "result", f"{job}.7", words=[f"{job}.7"])

    def test_the_broker_goes_on(self):
        broker = self.home.broker().pid
        for name in ("unknown solver", "out of range"):
            self.refused(USAGE, *TABLE[name][0])
        self.home.icarus("run", "--", "true")
        self.assertEqual(broker, self.home.broker().pid)


if __name__ == "__main__":
    harness.main()

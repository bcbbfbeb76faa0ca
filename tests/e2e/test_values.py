#!/usr/bin/python3
"""Programs that keep intermediate values in the result cache (docs/values.md)."""
import json
import re
import signal

import harness
from harness import wait_until

# `Values` of the manual, with what a test needs beside it.
MANUAL = re.search(r"```python\n(.*?)```", (harness.ROOT / "docs" / "values.md").read_text(encoding="utf-8"), re.S)[1]
CLIENT = MANUAL[:MANUAL.index("values = Values()")] + """
import pathlib, time
values = Values()
def say(line):
    values.file.write(line)
    values.file.flush()
def answer():
    return json.loads(values.file.readline())
def until(path):
    deadline = time.monotonic() + 60
    while not pathlib.Path(path).exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.01)
"""


class ValuesTest(harness.IcarusTest):
    workers = 1

    def write(self, name, text):
        program = self.home.directory / "work" / name
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
        return f"./{name}"

    def run_program(self, script, *arguments, options=(), name="march.py"):
        run = self.home.icarus("run", *options, "--", self.write(name, CLIENT + script), *arguments)
        return run.out.strip()

    def kept(self):
        return self.home.json("cache", "list", "--origin", "intermediate")

    def test_the_example_of_the_manual(self):
        program = self.write("march.py", MANUAL)
        said = [self.home.icarus("run", "--", program, *words).out.split()
                for words in (("200", "1.5"), ("200", "2.5"), ("100", "2.5"))]
        self.assertEqual([["computed", "150.75"], ["found", "251.25"], ["computed", "126.25"]], said)
        entries = self.kept()
        self.assertEqual(2, len(entries))
        self.assertEqual({("command", "command", None)},
                         {(entry["analysis"], entry["solver"], entry["target"]) for entry in entries})
        self.assertRegex(entries[0]["identity"], r"^\w+:march\.py\+[0-9a-f]{16}$")
        stats = self.home.json("cache", "stats")
        self.assertEqual((0, 1, 2), (stats["entries"], stats["intermediate_hits"], stats["intermediate_misses"]))
        self.assertIn("command@" + entries[0]["identity"],
                      self.home.icarus("cache", "list", "--origin", "intermediate").out)
        entry = self.home.json("cache", "list", "--origin", "intermediate", "--where", "cells=100")[0]
        self.assertEqual({"what": "mesh", "cells": 100, "version": 1}, entry["params"])
        self.assertEqual([i / 100 for i in range(101)], self.home.json("cache", "get", entry["key"])["value"])
        self.home.icarus("cache", "remove", "--solver", "command@" + entries[0]["identity"])
        self.assertEqual([], self.kept())
        self.assertEqual([], [path for path in self.home.sockets.rglob("v*") if path.is_socket()])

    def test_the_python_program_may_be_an_input_of_its_interpreter(self):
        def run(text):
            self.write("code.py", CLIENT + text)
            return self.home.icarus("run", "--input", "code.py", "--", "python3", "code.py").out.strip()

        self.assertEqual("None", run("print(values.get(1)); values.put(1, 'one')"))
        self.assertEqual("None", run("print(values.get(1)); values.put(1, 'two')"), "it is another program")
        self.assertEqual("one", run("print(values.get(1)); values.put(1, 'one')"))

    def test_another_worker_finds_it_while_the_first_still_runs(self):
        self.home.down()
        self.home.up(2, "--cpus", "2")
        ready, end = self.home.directory / "ready", self.home.directory / "end"
        program = self.write("march.py", CLIENT + """
if sys.argv[1] == "put":
    values.put({"a": 1, "b": [1.0, 2]}, {"pi": 3.25})
    assert values.get({"b": [1, 2.0], "a": 1e0}) == {"pi": 3.25}
    pathlib.Path(sys.argv[2]).touch()
    until(sys.argv[3])
else:
    print(values.get({"b": [1, 2], "a": 1}))
""")
        first = self.home.submit("command", "--", program, "put", ready, end)
        wait_until(ready.exists, "the value")
        second = self.home.submit("command", "--", program, "get")
        self.home.wait(second)
        self.assertEqual("{'pi': 3.25}", self.home.icarus("logs", f"{second}.0").out.strip())
        end.touch()
        self.home.wait(first)
        workers = {self.home.json("show", job)["items"][0]["worker"] for job in (first, second)}
        self.assertEqual(2, len(workers), workers)

    def test_tasks_of_a_sweep_share(self):
        program = self.write("march.py", CLIENT + """
table = values.get("table")
if table is None: values.put("table", list(range(1000)))
print(table is not None)
""")
        job = self.home.submit("command", "--sweep", "i=1:20:1", "--", program, "{i}")
        self.home.wait(job)
        self.assertEqual(1, len(self.kept()))
        self.assertIn("True", self.home.icarus("logs", f"{job}.19").out)

    def test_what_is_wrong_is_said_and_the_connection_goes_on(self):
        said = json.loads(self.run_program("""
answers = []
for line in ("rubbish", "[]", '{"type":"drop"}', '{"type":"cache_get","key":1}', '{"type":"cache_put","key":1,"value":NaN}',
             '{"type":"cache_get","id":9,"key":"' + "k" * 4095 + '"}', '{"type":"cache_put","key":1,"value":"' + "v" * (9 << 20) + '"}'):
    say(line + "\\n")
    answers.append(answer())
values.put(1, "fine")
say('{"type":"cache_get","id":"last","key":1.0}\\n')
answers.append(answer())
print(json.dumps(answers))
"""))
        self.assertEqual({"type": "cache_value", "id": "last", "value": "fine"}, said.pop())
        self.assertEqual({"error"}, {answer["type"] for answer in said})
        self.assertEqual([None] * 5 + [9, None], [answer.get("id") for answer in said])
        words = ("no JSON", "no JSON object", "cache_get and cache_put", "'id'", "no JSON", "limit of 4096", "limit of 8454144")
        for answer, word in zip(said, words):
            self.assertIn(word, answer["message"])

    def test_large_values_come_back_as_they_were(self):
        largest = (8 << 20) - 2
        self.assertEqual("None", self.run_program(f"print(values.get('large')); values.put('large', 'ä' + 'x' * {largest - 2})"))
        self.assertEqual([largest + 2], [entry["size_bytes"] for entry in self.kept()])
        program = f"print(values.get('large')); values.put('large', 'ä' + 'x' * {largest - 2})"
        self.assertEqual(largest - 2 + 1, len(self.run_program(program)))
        self.assertEqual("None", self.run_program(f"values.put('more', 'x' * {largest + 1}); print(values.get('more'))"))

    def test_no_cache_keeps_and_finds_nothing_and_a_refresh_finds_nothing(self):
        program = "print(values.get('k')); values.put('k', sys.argv[1])"
        run = lambda word, *options: self.run_program(program, word, options=options)
        self.assertEqual("None", run("bare", "--no-cache"))
        self.assertEqual([], self.kept())
        self.assertEqual("None", run("first"))
        self.assertEqual("None", run("bare", "--no-cache"))
        self.assertEqual("first", run("first"))
        self.assertEqual("None", run("second", "--refresh"))
        self.assertEqual("second", run("third"))

    def test_many_processes_of_one_program(self):
        self.assertEqual("True", self.run_program("""
import multiprocessing
def rank(number):
    mine = Values()
    for i in range(20):
        mine.put([number, i], number * 1000 + i)
    return all(mine.get([number, i]) == number * 1000 + i for i in range(20))
with multiprocessing.get_context("fork").Pool(16) as pool:
    print(pool.map(rank, range(32), 1) == [True] * 32)
"""))
        self.assertEqual(640, len(self.home.json("cache", "list", "--origin", "intermediate", "--limit", "0")))

    def test_without_a_broker_there_is_no_value_and_nobody_hangs(self):
        ready, end = self.home.directory / "ready", self.home.directory / "end"
        program = self.write("march.py", CLIENT + """
values.put(1, "kept")
print(values.get(1))
pathlib.Path(sys.argv[1]).touch()
until(sys.argv[2])
begin = time.monotonic()
print(values.get(2), time.monotonic() - begin < 30)
""")
        job = self.home.submit("command", "--", program, ready, end)
        wait_until(ready.exists, "the value")
        self.home.kill_broker()
        end.touch()
        self.home.up(1)
        self.home.wait(job)
        self.assertEqual(["kept", "None", "True"], self.home.icarus("logs", f"{job}.0").out.split())

    def test_values_go_on_over_a_killed_worker(self):
        program = "print(values.get('k')); values.put('k', 'kept'); values.get('k')"
        self.assertEqual("None", self.run_program(program))
        self.home.workers()[0].kill(signal.SIGKILL)
        self.home.up(1)
        self.assertEqual("kept", self.run_program(program))


if __name__ == "__main__":
    harness.main()

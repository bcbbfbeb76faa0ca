#!/usr/bin/python3
"""check_layers.py must accept the arrows of the architecture and refuse the others."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).resolve().parent / "check_layers.py"

ALLOWED = [
    ("broker/core/queue.h", '#include "common/model/ids.h"'),
    ("broker/core/queue.cc", '#include "common/protocol/messages.h"'),
    ("broker/core/queue.cc", '#include "broker/core/queue.h"'),
    ("broker/core/queue.cc", "#include <map>"),
    ("broker/storage/store.cc", "#include <rocksdb/db.h>"),
    ("broker/main.cc", '#include "broker/net/server.h"'),
    ("common/transport/socket.cc", "#include <zmq.hpp>"),
    ("common/protocol/codec.cc", '#include "common/protocol/map_codec.h"'),
    ("tests/unit/broker/queue_test.cc", '#include "broker/core/queue.h"'),
]
REFUSED = [
    ("broker/core/queue.cc", "#include <thread>"),
    ("broker/core/queue.cc", "#include <unistd.h>"),
    ("broker/core/queue.cc", '#include "common/base/files.h"'),
    ("broker/core/queue.cc", '#include "common/protocol/codec.h"'),
    ("broker/core/queue.cc", '#include "broker/storage/store.h"'),
    ("broker/net/server.cc", '#include "worker/core/worker.h"'),
    ("broker/net/server.cc", "#include <zmq.hpp>"),
    ("client/cli/main.cc", '#include "broker/core/queue.h"'),
    ("client/lib/client.cc", "#include <nlohmann/json.hpp>"),
    ("common/base/text.cc", '#include "common/model/ids.h"'),
    ("common/model/value.cc", '#include "value.h"'),
    ("common/protocol/frame.cc", "#include <msgpack.hpp>"),
    ("broker/net/server.cc", '#include "common/protocol/map_codec.h"'),
    ("worker/main.cc", "#include <rocksdb/db.h>"),
]


def run_check(path, line):
    with tempfile.TemporaryDirectory() as root:
        file = pathlib.Path(root, path)
        file.parent.mkdir(parents=True)
        file.write_text(f"// a comment\n{line}\n", encoding="utf-8")
        return subprocess.run([sys.executable, str(CHECK), "--root", root], capture_output=True, text=True, check=False)


class CheckLayersTest(unittest.TestCase):
    def test_accepts_the_arrows_of_the_architecture(self):
        for path, line in ALLOWED:
            with self.subTest(path=path, line=line):
                run = run_check(path, line)
                self.assertEqual((run.returncode, run.stdout), (0, ""))

    def test_refuses_the_others_with_file_and_line(self):
        for path, line in REFUSED:
            with self.subTest(path=path, line=line):
                run = run_check(path, line)
                self.assertEqual(run.returncode, 1)
                self.assertIn(f"{path}:2: ", run.stdout)

    def test_an_empty_tree_is_not_a_success(self):
        with tempfile.TemporaryDirectory() as root:
            run = subprocess.run([sys.executable, str(CHECK), "--root", root], stdout=subprocess.DEVNULL, check=False)
            self.assertEqual(run.returncode, 1)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-b"] + sys.argv[1:])

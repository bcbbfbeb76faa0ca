#!/usr/bin/python3
"""The wire is what docs/protocol.md says: a second implementation talks to the broker, and garbage does not hurt it."""
import random
import time
import uuid

import harness
import wire


class WireTest(harness.IcarusTest):
    workers = 1

    def connect(self, path=None, timeout_ms=10000):
        connection = wire.Connection(path or self.client_socket(), timeout_ms)
        self.addCleanup(connection.close)
        return connection

    def client_socket(self):
        """The socket that welcomes a client."""
        for path in self.home.ipc_sockets():
            connection = wire.Connection(path, timeout_ms=int(2000 * harness.SLOW))
            try:
                if connection.hello()[0] == wire.WELCOME:
                    return path
            except wire.zmq.Again:
                pass
            finally:
                connection.close()
        raise AssertionError(f"no socket welcomes a client: {self.home.ipc_sockets()}")

    def submit_noop(self, connection, count, identity=None):
        kind, reply, _ = connection.request(wire.SUBMIT, {"id": identity or uuid.uuid4().hex, "spec": wire.noop_spec(count)})
        self.assertEqual(wire.SUBMIT_REPLY, kind, reply)
        return reply

    def test_hello_is_welcomed_with_the_principal(self):
        kind, welcome, _ = self.connect().hello()
        self.assertEqual(wire.WELCOME, kind)
        self.assertEqual(1, welcome["version"])
        self.assertTrue(welcome["user"])
        self.assertTrue(welcome["lineage"])

    def test_no_common_version_is_an_error(self):
        kind, reply, _ = self.connect().hello(min_version=90, max_version=99)
        self.assertEqual(wire.ERROR_REPLY, kind, reply)
        self.assertIn("version", reply["message"])

    def test_submit_watch_and_fetch(self):
        connection = self.connect()
        connection.hello()
        job = self.submit_noop(connection, 50)["job"]
        update = self.watch_to_the_end(connection, job)
        self.assertEqual((50, 50), (update["total"], update["counts"][wire.COMPLETED]))
        kind, page, bodies = connection.request(wire.FETCH_RESULTS, {"job": job, "first": 0, "limit": 0})
        self.assertEqual(wire.RESULT_PAGE, kind, page)
        self.assertEqual(list(range(50)), [item["task"]["index"] for item in page["items"]])
        self.assertEqual([item["task"]["index"] for item in page["items"]],
                         [item["task"]["params"]["i"] for item in page["items"]])
        self.assertTrue(all(item["body"] < len(bodies) for item in page["items"]))
        self.assertEqual("from python", self.home.job(job)["name"])

    def watch_to_the_end(self, connection, job):
        connection.correlation += 1
        watch = connection.correlation
        connection.send_raw(wire.encode(wire.WATCH, watch, {"jobs": [job]}))
        while True:
            kind, correlation, update, _ = connection.receive()
            if correlation != watch:
                continue
            self.assertEqual(wire.JOB_UPDATE, kind, update)
            connection.send_raw(wire.encode(wire.UPDATE_ACK, watch, {"sequence": update["sequence"]}))
            if update["jobs"] and update["jobs"][0]["state"] >= wire.COMPLETED:
                return update["jobs"][0]

    def test_the_same_submission_twice_is_one_job(self):
        connection = self.connect()
        connection.hello()
        first = self.submit_noop(connection, 3, "an-id")
        again = self.submit_noop(connection, 3, "an-id")
        self.assertEqual((first["job"], False, True), (again["job"], first["existing"], again["existing"]))

    def test_unknown_keys_are_skipped_and_missing_ones_named(self):
        connection = self.connect()
        self.assertEqual(wire.WELCOME, connection.hello(from_the_future=7)[0])
        kind, reply, _ = connection.request(wire.SUBMIT, {"id": "x"})
        self.assertEqual(wire.ERROR_REPLY, kind)
        self.assertIn("spec", reply["message"])

    def test_a_value_out_of_range_is_named(self):
        connection = self.connect()
        connection.hello()
        spec = wire.noop_spec(1)
        spec["priority"] = 5000
        kind, reply, _ = connection.request(wire.SUBMIT, {"id": "y", "spec": spec})
        self.assertEqual(wire.ERROR_REPLY, kind)
        self.assertIn("priority", reply["message"])

    def test_a_specification_that_is_not_canonical_is_refused(self):
        connection = self.connect()
        connection.hello()
        for change in ({"analysis": "nothing"}, {"analysis": "airfoil_polar"}, {"cache": 9}):
            with self.subTest(change=change):
                kind, _, _ = connection.request(wire.SUBMIT, {"id": uuid.uuid4().hex, "spec": {**wire.noop_spec(1), **change}})
                self.assertEqual(wire.ERROR_REPLY, kind)


def hostile_messages():
    """Messages that no program of ours sends: (name, frames)."""
    good = wire.encode(wire.HELLO, 1, {"min_version": 1})
    chance = random.Random(7)
    deep = b"\x91" * 200000 + b"\xc0"
    yield "an empty frame", [b""]
    yield "one frame of garbage", [chance.randbytes(1000)]
    yield "two frames of garbage", [chance.randbytes(32), chance.randbytes(1000)]
    yield "a header alone", good[:1]
    yield "a truncated header", [good[0][:11], good[1]]
    yield "a truncated map", [good[0], good[1][:-3]]
    yield "bytes after the map", [good[0], good[1] + b"more"]
    yield "a wrong checksum", [good[0][:20] + bytes([good[0][20] ^ 1]) + good[0][21:], good[1]]
    yield "another version", wire.encode(wire.HELLO, 1, {"min_version": 1}, version=999)
    yield "an unknown type", wire.encode(60000, 1, {})
    yield "a worker's message", wire.encode(66, 1, {"results": []})
    yield "a broker's message", wire.encode(wire.WELCOME, 1, {})
    yield "not a map", [wire.HEADER.pack(b"ICAR", 1, 1, 1, 0, wire.checksum(b"\xc0") & 0xFFFFFFFF, 0, 0), b"\xc0"]
    yield "deep nesting", [wire.HEADER.pack(b"ICAR", 1, 1, 1, 0, wire.checksum(deep) & 0xFFFFFFFF, 0, 0), deep]
    huge = b"\xdd\xff\xff\xff\xff"
    yield "an array that promises 4 G elements", [wire.HEADER.pack(b"ICAR", 1, 1, 1, 0, wire.checksum(huge) & 0xFFFFFFFF, 0, 0), huge]
    yield "a body list beyond the frame", [wire.HEADER.pack(b"ICAR", 1, 1, 1, 4000000000, wire.checksum(good[1]) & 0xFFFFFFFF, 0, 0), good[1]]
    yield "bodies that are not listed", good + [b"body"] * 3
    yield "many frames", good + [b""] * 5000
    yield "a large frame", [good[0], b"\0" * (20 << 20)]
    yield "many large frames", good + [b"\0" * (8 << 20)] * 12


class HostileTest(harness.IcarusTest):
    workers = 1

    def test_the_broker_goes_on_whatever_is_sent_to_either_socket(self):
        broker = self.home.broker().pid
        before = harness.resident_mb(broker)
        for path in self.home.ipc_sockets():
            for name, frames in hostile_messages():
                with self.subTest(name, socket=path.rsplit("/", 1)[-1]):
                    connection = wire.Connection(path)
                    connection.send_raw(frames)
                    connection.socket.rcvtimeo = 200
                    self.read_errors(connection)
                    connection.close()
                    self.home.icarus("list", timeout=20)
        self.assertEqual(broker, self.home.broker().pid)
        self.home.icarus("run", "--", "true", timeout=20)
        self.assertLess(harness.resident_mb(broker) - before, 300)

    def read_errors(self, connection):
        """What comes back, if anything, is an error in our format, or that nobody here knows the peer."""
        try:
            kind, _, fields, _ = connection.receive()
            if kind == wire.HEARTBEAT_REPLY:
                self.assertFalse(fields["known"])
            else:
                self.assertEqual(wire.ERROR_REPLY, kind, fields)
                self.assertTrue(fields["message"])
        except wire.zmq.Again:
            pass

    def test_random_bytes_in_a_valid_envelope(self):
        broker = self.home.broker().pid
        chance = random.Random(20260101)
        for path in self.home.ipc_sockets():
            connection = wire.Connection(path)
            self.addCleanup(connection.close)
            for _ in range(2000):
                payload = chance.randbytes(chance.randrange(200))
                header = wire.HEADER.pack(b"ICAR", 1, chance.randrange(80), chance.randrange(1 << 60),
                                          chance.choice([0, chance.randrange(300)]), wire.checksum(payload) & 0xFFFFFFFF,
                                          0, chance.randrange(9))
                connection.send_raw([header, payload])
        self.home.icarus("run", "--", "true", timeout=30)
        self.assertEqual(broker, self.home.broker().pid)

    def test_a_flood_from_one_client_does_not_starve_another(self):
        path = self.home.ipc_sockets()[0]
        connection = wire.Connection(path)
        self.addCleanup(connection.close)
        deadline = time.monotonic() + 2
        frames = wire.encode(wire.HEARTBEAT, 0, {})
        while time.monotonic() < deadline:
            for _ in range(200):
                connection.socket.send_multipart(frames, flags=0)
        self.home.icarus("list", timeout=20)


if __name__ == "__main__":
    harness.main()

"""A second implementation of the wire, from docs/protocol.md alone: pyzmq, msgpack, and the checksum by ctypes."""
import ctypes
import os
import socket
import struct
import uuid

import msgpack
import zmq

MAGIC, VERSION = b"ICAR", 1
# magic, version, type, correlation, length of the body list, checksum of the map, session, number (0: not numbered)
HEADER = struct.Struct("<4sHHQIIII")
HELLO, WELCOME, ERROR_REPLY, HEARTBEAT, HEARTBEAT_REPLY, GOODBYE = 1, 2, 3, 4, 5, 6
SUBMIT, SUBMIT_REPLY, WATCH, JOB_UPDATE, UPDATE_ACK, FETCH_RESULTS, RESULT_PAGE = 32, 33, 38, 39, 40, 41, 42
CLIENT, WORKER = 0, 1
COMPLETED = 3

_xxhash = ctypes.CDLL("libxxhash.so.0")
_xxhash.XXH3_64bits.restype = ctypes.c_uint64
_xxhash.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def checksum(data):
    return _xxhash.XXH3_64bits(data, len(data))


def encode(kind, correlation, fields, version=VERSION):
    """The two frames of a message without bodies."""
    payload = msgpack.packb(fields)
    return [HEADER.pack(MAGIC, version, kind, correlation, 0, checksum(payload) & 0xFFFFFFFF, 0, 0), payload]


def decode(frames):
    """(type, correlation, fields, bodies) of a received message; every checksum is verified."""
    magic, version, kind, correlation, list_length, map_checksum, _, _ = HEADER.unpack(frames[0])
    assert (magic, version) == (MAGIC, VERSION), frames[0]
    assert checksum(frames[1]) & 0xFFFFFFFF == map_checksum
    fields = msgpack.unpackb(frames[1][list_length:], strict_map_key=False)
    bodies = frames[2:]
    if list_length:
        listed = msgpack.unpackb(frames[1][:list_length])["bodies"]
        assert [(one["length"], one["checksum"]) for one in listed] == [(len(b), checksum(b)) for b in bodies]
    return kind, correlation, fields, bodies


def hello_fields(instance, role=CLIENT):
    return {"min_version": 1, "max_version": 1, "role": role, "instance": instance, "program": "wire.py",
            "host": socket.gethostname(), "pid": os.getpid(), "lineage": "", "seen_epoch": 0, "seen_sequence": 0}


class Connection:
    def __init__(self, path, timeout_ms=10000):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.rcvtimeo = timeout_ms
        self.socket.connect(path if "://" in path else f"ipc://{path}")
        self.correlation = 0

    def close(self):
        self.context.destroy(linger=0)

    def send_raw(self, frames):
        self.socket.send_multipart(frames)

    def receive(self):
        return decode(self.socket.recv_multipart())

    def request(self, kind, fields):
        """Sends a request and returns (type, fields, bodies) of what answers it."""
        self.correlation += 1
        self.send_raw(encode(kind, self.correlation, fields))
        while True:
            answer, correlation, reply, bodies = self.receive()
            if correlation == self.correlation:
                return answer, reply, bodies

    def hello(self, role=CLIENT, **changes):
        fields = hello_fields(uuid.uuid4().hex, role)
        fields.update(changes)
        return self.request(HELLO, fields)


def rule(first, last):
    """The integers first…last as a range that is never expanded."""
    return {"kind": 1, "list": [], "count": last - first + 1, "mantissa": first, "step_mantissa": 1, "exponent": 0,
            "first": 0.0, "last": 0.0}


def noop_spec(count):
    """The canonical specification of a sweep of `count` no-ops: every parameter of the analysis is there."""
    axes = [{"columns": [{"name": "i", "values": rule(0, count - 1)}]}]
    return {
        "analysis": "noop", "solver": "", "solver_identity": "",
        "sweep": {"targets": [], "base": {"sleep_s": 0.0, "bytes": 0.0}, "axes": axes},
        "priority": 0, "timeout_ms": 0, "queue_timeout_ms": 0, "deadline_ms": 0, "after": [], "after_any": [],
        "delay_ms": 0, "retries": 0, "retry_exit": False,
        "no_restart": False, "resources": {"cpus": 1, "memory_bytes": 0, "named": {}}, "require": {}, "cache": 0,
        "ttl_ms": 0, "max_fails": -1, "max_running": 0, "name": "from python", "tags": {}, "strict": False,
    }

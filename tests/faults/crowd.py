"""Hundreds of clients in one thread, in the protocol's own words: they greet, beat, submit, and come back when cut."""
import queue
import threading
import time
import uuid

import zmq
from campaign import Submission  # first: it finds tests/e2e
import wire

BEAT_S = 1.0


class Member:
    """A client: says Hello until it is welcomed, repeats its one submission until that is acknowledged, then beats."""

    def __init__(self, context, endpoint, key):
        self.context, self.endpoint, self.key = context, endpoint, key
        self.instance = uuid.uuid4().hex
        self.socket = None
        self.broker = None  # the instance of the broker that welcomed it
        self.job = None
        self.refusals = []
        self.speaks_at = 0.0
        self.correlation = 0
        self.connect()

    def connect(self):
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.immediate = 1
        self.socket.connect(self.endpoint)
        self.broker = None

    def send(self, kind, fields):
        self.correlation += 1
        try:
            self.socket.send_multipart(wire.encode(kind, self.correlation, fields), zmq.DONTWAIT)
        except zmq.Again:
            pass  # not connected: it speaks again

    def speak(self):
        if self.broker is None:
            self.send(wire.HELLO, wire.hello_fields(self.instance))
        elif self.key and self.job is None:
            self.send(wire.SUBMIT, {"id": self.key, "spec": wire.noop_spec(1)})
        else:
            self.send(wire.HEARTBEAT, {})

    def listen(self):
        while True:
            try:
                frames = self.socket.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                return
            kind, _, fields, _ = wire.decode(frames)
            self.take(kind, fields)

    def take(self, kind, fields):
        if kind == wire.WELCOME:
            self.broker = fields["broker"]
            if self.key and self.job is None:
                self.speak()
        elif kind == wire.HEARTBEAT_REPLY and not fields["known"]:
            self.broker = None
            self.speak()
        elif kind == wire.SUBMIT_REPLY:
            self.job = fields["job"]
        elif kind == wire.ERROR_REPLY:
            self.refusals.append(fields["message"])


class Crowd:
    """`with Crowd(endpoint, count, history) as crowd:` Every `SUBMITS`th member submits a job of one no-op."""

    SUBMITS = 25

    def __init__(self, endpoint, count, history):
        self.history = history
        self.context = zmq.Context()
        self.context.set(zmq.MAX_SOCKETS, 4 * count)  # those that were closed go by and by
        self.members = [Member(self.context, endpoint, f"crowd-{number}" if number % self.SUBMITS == 0 else None)
                        for number in range(count)]
        for member in self.members:
            if member.key:
                history.submitting(Submission(member.key, "noop", 1, {}, None))
        self.orders = queue.SimpleQueue()
        self.ending = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join()
        self.context.destroy(linger=0)

    def reconnect(self):
        """Every connection ends and begins anew; every second member is another client from now on."""
        done = threading.Event()
        self.orders.put(done)
        assert done.wait(30), f"the crowd does not move: {self.failure}"

    def served_by(self, broker):
        """Whether each is welcomed by this broker, and has its job."""
        assert self.failure is None, f"the crowd has ended: {self.failure}"
        if not all(member.broker == broker and (member.job or not member.key) for member in self.members):
            return False
        for member in self.members:
            if member.key:
                self.history.submitted(member.key, member.job)
        return True

    def unserved(self, broker):
        left = [member for member in self.members if member.broker != broker or (member.key and member.job is None)]
        refusals = sorted({refusal for member in left for refusal in member.refusals})
        return f"{len(left)} of {len(self.members)} are not served; they were told {refusals[:3]}"

    def run(self):
        try:
            while not self.ending.is_set():
                self.turn()
        except (zmq.ZMQError, AssertionError, KeyError) as error:
            self.failure = repr(error)

    def turn(self):
        poller, by_socket = zmq.Poller(), {}
        for member in self.members:
            poller.register(member.socket, zmq.POLLIN)
            by_socket[member.socket] = member
        while not self.ending.is_set() and self.orders.empty():
            for socket, _ in poller.poll(50):
                by_socket[socket].listen()
            now = time.monotonic()
            for member in self.members:
                if member.speaks_at <= now:
                    member.speaks_at = now + BEAT_S
                    member.speak()
        while not self.orders.empty():
            self.obey(self.orders.get())

    def obey(self, done):
        for number, member in enumerate(self.members):
            member.socket.close()
            if number % 2:
                member.instance = uuid.uuid4().hex
            member.connect()
            member.speaks_at = 0.0
        done.set()

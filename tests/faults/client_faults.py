"""Faults of clients: hundreds that come back at once, and some that ask and do not read."""
import contextlib
import os
import select
import signal
import subprocess
import time
import uuid

import zmq
from campaign import Campaign, Submission, harness
from crowd import Crowd
from harness import resident_mb, wait_until
import wire

CROWD = 500
# For a connection libzmq keeps two pipes (16 KiB each at least), a decoder and an encoder (8 KiB each): some 50 KiB;
# ours are a session and what is numbered in it. Twice that for each member, and what the real clients' jobs need.
CONNECTION_MB = 0.125
JOBS_MB = 48
# A connection that was cut gives back what it had; of a client that is another now, the session stays for a minute.
RECONNECTED_MB = 32
ANSWER_S = 5  # the patience of a client
STOPPED_S = 65  # a session, and the patience of a client that waits, are 60 s


def check_memory(campaign, what, limit_mb):
    used = resident_mb(campaign.started["broker"].pid)
    if used > limit_mb:
        campaign.violations.append(f"the broker takes {used:.0f} MB {what}; {limit_mb:.0f} are enough")
    return used


def check_answer(campaign):
    """Others are served meanwhile."""
    run = campaign.home.icarus("list", "-o", "json", expect=None)
    if run.code != harness.DONE or run.seconds > ANSWER_S * harness.SLOW:
        campaign.violations.append(f"the broker keeps others waiting: {run}")


def all_served(campaign, crowd):
    broker = campaign.access()["instance"]
    try:
        wait_until(lambda: crowd.served_by(broker), "a welcome for everybody", timeout=30)
    except AssertionError as error:
        raise AssertionError(f"{error}: {crowd.unserved(broker)}") from None


def reconnect_storm(seed, members=CROWD, kills=2, cuts=8):
    """Everybody comes back at once: to a broker that was killed, and to one whose connections were all cut."""
    with Campaign(seed) as campaign:
        campaign.start_all()
        wait_until(campaign.serves, "the service")
        alone = resident_mb(campaign.started["broker"].pid)
        with Crowd(campaign.access()["client_endpoints"][0], members, campaign.history) as crowd:
            all_served(campaign, crowd)
            campaign.work(count=1)
            for _ in range(kills):
                time.sleep(campaign.chance.uniform(0, 0.5))
                campaign.kill("broker")
                campaign.start("broker")
                all_served(campaign, crowd)
            before = check_memory(campaign, f"for {members} clients", alone + members * CONNECTION_MB + JOBS_MB)
            for _ in range(cuts):
                crowd.reconnect()
                all_served(campaign, crowd)
                check_answer(campaign)
            after = check_memory(campaign, f"after {cuts} times {members} connections", before + RECONNECTED_MB)
            found = campaign.finish()
        return found, f"MB: {alone:.0f} alone, {before:.0f}, {after:.0f} after the cuts\n{campaign.logs()}"


RESULT_TASKS, RESULT_BYTES = 20, 400_000  # just below the page of 8 MiB that a broker answers with
PAGES, WATCHES = 32, 3
# What is under way to one peer is bounded by what one message may hold (limits::kMaxMessageBytes); the rest is the
# broker's own: two databases, the pages that are being read, and what the real clients' jobs need.
UNREAD_MB = 64
OWN_MB = 256


class Deaf:
    """A client that asks for updates and for pages of results, and reads only when it is told to."""

    def __init__(self, endpoint, watched, fetched, pages):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.rcvhwm = 1  # else libzmq reads for us
        self.socket.connect(endpoint)
        self.ask(wire.HELLO, 1, wire.hello_fields(uuid.uuid4().hex))
        for number in range(WATCHES):
            self.ask(wire.WATCH, 2 + number, {"jobs": [watched]})
        for number in range(pages):
            self.ask(wire.FETCH_RESULTS, 100 + number, {"job": fetched, "first": 0, "limit": 0})

    def ask(self, kind, correlation, fields):
        self.socket.send_multipart(wire.encode(kind, correlation, fields))

    def read(self):
        """One message; its kind, or None when none waits."""
        try:
            kind, correlation, fields, _ = wire.decode(self.socket.recv_multipart(zmq.DONTWAIT))
        except zmq.Again:
            return None
        if kind == wire.JOB_UPDATE:
            self.ask(wire.UPDATE_ACK, correlation, {"sequence": fields["sequence"]})
        return kind

    def close(self):
        self.context.destroy(linger=0)


def submit_noops(campaign, tasks, *parameters):
    key = campaign.key("noop")
    campaign.submit(Submission(key, "noop", tasks, {}, None), "noop", "--sweep", f"i=1:{tasks}:1", *parameters)
    return campaign.history.jobs()[key]


@contextlib.contextmanager
def stopped_readers(campaign, *commands):
    """`icarus …` of each, with a pipe that nobody reads, and SIGSTOP when it has been answered; the processes."""
    readers = [campaign.home.start("icarus", *command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
               for command in commands]
    try:
        for reader in readers:
            assert select.select([reader.stdout], [], [], 20 * harness.SLOW)[0], f"{reader.args} says nothing"
            os.kill(reader.pid, signal.SIGSTOP)
        yield readers
    finally:
        for reader in readers:
            with contextlib.suppress(ProcessLookupError):
                reader.kill()
            reader.communicate()


def wake(campaign, readers, job):
    """Those that were stopped go on as if nothing had been, and end well, unless somebody cancelled the job meanwhile."""
    for reader in readers:
        os.kill(reader.pid, signal.SIGCONT)
    for reader in readers:
        try:
            said, _ = reader.communicate(timeout=60 * harness.SLOW)
        except subprocess.TimeoutExpired:
            campaign.violations.append(f"{reader.args[1:]} does not end after its stop")
            continue
        cancelled = job in campaign.history.cancel_sent and reader.returncode == harness.INCOMPLETE
        if reader.returncode != harness.DONE and not cancelled:
            campaign.violations.append(f"{reader.args[1:]} ended with {reader.returncode} after its stop: "
                                       f"{said[-300:]!r}")


def look_on(campaign, slow, rounds):
    """What the broker takes at the most while `slow` reads a message a round."""
    peak, heard = 0, []
    for _ in range(rounds):
        time.sleep(campaign.chance.uniform(0.1, 0.5))
        heard.append(slow.read())
        check_answer(campaign)
        peak = max(peak, resident_mb(campaign.started["broker"].pid))
    if wire.RESULT_PAGE not in heard:
        campaign.violations.append(f"a slow client read {heard} and no page")
    return peak


def slow_consumers(seed, deaf=3, rounds=10):
    """Clients that ask for updates and large results and never read, one that reads slowly, and some that are stopped
    while they wait: the others are served, and the broker keeps for each no more than one message may hold."""
    with Campaign(seed) as campaign:
        campaign.start_all()
        wait_until(campaign.serves, "the service")
        large = submit_noops(campaign, RESULT_TASKS, "-p", f"bytes={RESULT_BYTES}")
        campaign.home.wait(large)
        long = submit_noops(campaign, 200, "-p", "sleep_s=0.1")
        commands = [("wait", long), ("watch", long), ("result", large, "-o", "json")]
        endpoint = campaign.access()["client_endpoints"][0]
        peers = [Deaf(endpoint, long, large, PAGES) for _ in range(deaf + 1)]
        try:
            with stopped_readers(campaign, *commands) as readers:
                campaign.work()
                peak = look_on(campaign, peers[-1], rounds)
                wake(campaign, readers, long)
            found = campaign.finish()
        finally:
            for peer in peers:
                peer.close()
        if peak > len(peers) * UNREAD_MB + OWN_MB:
            found.append(f"the broker took {peak:.0f} MB for {len(peers)} clients that do not read")
        return found, f"MB at the most: {peak:.0f}\n{campaign.logs()}"


def stopped_waiters(seed):
    """`icarus wait` and `watch` that stand still (Ctrl-Z) for longer than a broker keeps a client's session, and than a
    client's patience while it waits: they go on, and are told the end that their job comes to."""
    with Campaign(seed) as campaign:
        campaign.start_all()
        wait_until(campaign.serves, "the service")
        tasks = int(STOPPED_S * 4 * 1.2)  # four at once, a second each
        long = submit_noops(campaign, tasks, "-p", "sleep_s=1")
        with stopped_readers(campaign, ("wait", long), ("watch", long)) as readers:
            campaign.work(count=1)
            time.sleep(campaign.chance.uniform(0.1, 1))
            campaign.stopping.set()
            time.sleep(STOPPED_S)
            wake(campaign, readers, long)
        return campaign.finish(), campaign.logs()

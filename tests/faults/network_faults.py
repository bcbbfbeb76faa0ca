"""Faults of the network: clients and a worker that reach the broker over TCP, through a proxy that is a bad network."""
import json
import time
import urllib.parse

from campaign import FINAL, Campaign
from tcp_proxy import TcpProxy

ROLES = ("client", "worker")


class RemoteCampaign(Campaign):
    """Its clients and its last worker have an access file that names the proxy; the other worker is on the machine.
    They also wait for and read what has ended, while the network is bad."""

    ACTIONS = (*Campaign.ACTIONS, "large", "wait", "wait", "read", "read")

    def __init__(self, seed):
        super().__init__(seed)
        self.remote_access = self.home.directory / "remote.json"
        self.arguments["broker"] = ["--listen", "tcp://127.0.0.1:0", "--insecure"]
        self.arguments[self.worker_names[-1]] = ["--access", self.remote_access]
        self.reach = ["--access", self.remote_access]

    def do_wait(self, chance):
        """What a client that waits is told when it ends is final."""
        jobs = list(self.history.jobs().values())
        if not jobs:
            return
        answer = self.ask("wait", str(chance.choice(jobs[-3:])), "--timeout", "10s")
        if answer is None:
            return
        self.history.saw(answer["job"], answer["state"])
        if answer["state"] not in FINAL:
            raise ValueError(f"a wait ended with {answer}")

    def do_read(self, chance):
        """What a task wrote, as soon as it has ended, is what it writes in the end."""
        jobs = [(job, self.history.sent[key]) for key, job in self.history.jobs().items()
                if self.history.sent[key].kind == "command"]
        if not jobs:
            return
        job, submission = chance.choice(jobs[-5:])
        index = chance.randrange(submission.tasks)
        answer = self.ask("logs", f"{job}.{index}")
        if answer is None or answer["state"] != "completed":
            return
        if answer["stdout"].strip() != submission.values[index]:
            raise ValueError(f"task {job}.{index} wrote {len(answer['stdout'])} bytes: {answer['stdout'][-100:]!r}")

    def target(self, role):
        """Where the proxy is to go: the broker's port, which each start draws anew."""
        access = json.loads((self.home.path / "access.json").read_text())
        tcp = [one for one in access[f"{role}_endpoints"] if one.startswith("tcp:")]
        address = urllib.parse.urlsplit(tcp[0])
        return address.hostname, address.port

    def publish(self, proxy):
        """The access file of those who are elsewhere, when the broker that runs has written its own."""
        access = self.access()
        for role in ROLES:
            access[f"{role}_endpoints"] = [f"tcp://127.0.0.1:{proxy.ports[role]}"]
        temporary = self.remote_access.with_suffix(".new")
        temporary.write_text(json.dumps(access))
        temporary.rename(self.remote_access)


def bad_network(seed, events=12):
    """Connections that are slow, cut, silent in one or both directions from some time on; all cut at once, and now and
    then with a broker that is killed. A client gives up after 5 s of silence and is sent again with the same id."""
    with RemoteCampaign(seed) as campaign:
        targets = {role: lambda role=role: campaign.target(role) for role in ROLES}
        with TcpProxy(campaign.chance.getrandbits(32), targets) as proxy:
            campaign.start("broker")
            campaign.publish(proxy)
            campaign.start_all()
            campaign.work(count=8)  # most of them wait
            for _ in range(events):
                time.sleep(campaign.chance.uniform(0.2, 1.2))
                event = campaign.chance.choice(["nothing", "nothing", "cut", "kill"])
                if event == "cut":
                    proxy.cut_all()
                if event == "kill":
                    campaign.kill("broker")
                    campaign.start("broker")
                    campaign.publish(proxy)
            proxy.calm()
            found = campaign.finish()
            fates = dict(proxy.fates)
        used = {fate.split(",")[0] for fate in fates}
        if used != set(ROLES) or not campaign.history.jobs():
            found.append(f"hardly anything went through the proxy ({fates}): the run proves nothing")
        return found, f"connections: {fates}\n{campaign.logs()}"

"""A TCP proxy that is a bad network: it delays, cuts, stalls and half-opens connections, as a seed draws it."""
import asyncio
import collections
import random
import threading

FATES = ["plain", "plain", "plain", "slow", "slow", "cut", "cut", "stall", "half up", "half down"]
CHUNK = 16384


class Connection:
    """One that was accepted, and the one that was opened for it. Lives in the proxy's loop."""

    def __init__(self, proxy, fate):
        self.proxy, self.fate, self.chance = proxy, fate, random.Random(proxy.chance.getrandbits(32))
        self.silent = set()  # the directions in which nothing is forwarded any more
        self.writers = []

    async def run(self, reader, writer, target):
        self.writers.append(writer)
        try:
            upstream_reader, upstream = await asyncio.open_connection(*target())
            self.writers.append(upstream)
            tasks = [asyncio.create_task(one) for one in (
                self.pump(reader, upstream, "up"), self.pump(upstream_reader, writer, "down"), self.suffer())]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        except OSError:
            pass  # nobody listens behind the proxy just now, or does not say where
        finally:
            self.cut()

    async def pump(self, reader, writer, direction):
        while data := await reader.read(CHUNK):
            if direction in self.silent:
                continue  # as if it were on its way
            if self.fate == "slow":
                await asyncio.sleep(self.chance.uniform(0, 0.2))
            writer.write(data)
            await writer.drain()

    async def suffer(self):
        """Returns when the connection is to end."""
        if self.fate in ("plain", "slow"):
            await asyncio.Event().wait()
        if self.fate != "stall":
            await asyncio.sleep(self.chance.choice([0, 0.01, 0.1, 1]) * self.chance.random())
        if self.fate == "cut":
            return
        self.silent = {"half up": {"up"}, "half down": {"down"}, "stall": {"up", "down"}}[self.fate]
        await asyncio.sleep(self.chance.uniform(0.5, 8))

    def cut(self):
        """At once: what was under way is lost."""
        for writer in self.writers:
            writer.transport.abort()


class TcpProxy:
    """`with TcpProxy(seed, targets) as proxy:` `targets`: name -> a function that says where (host, port) it is now.

    Listens at `ports[name]` of 127.0.0.1. Until `calm`, each connection has a fate of its own; `fates` counts them
    by name and fate.
    """

    def __init__(self, seed, targets):
        self.chance = random.Random(seed)
        self.targets = targets
        self.ports = {}
        self.fates = collections.Counter()
        self.bad = True
        self.connections = set()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.servers = []

    def __enter__(self):
        self.thread.start()
        self.call(self.listen())
        return self

    def __exit__(self, *_):
        self.call(self.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout=30)

    def calm(self):
        """From now on a good network; what suffers is cut."""
        async def change():
            self.bad = False
            for connection in self.connections:
                if connection.fate != "plain":
                    connection.cut()
        self.call(change())

    def cut_all(self):
        async def cut():
            for connection in self.connections:
                connection.cut()
        self.call(cut())

    async def listen(self):
        for name in self.targets:
            server = await asyncio.start_server(lambda *ends, name=name: self.accept(name, *ends), "127.0.0.1", 0)
            self.servers.append(server)
            self.ports[name] = server.sockets[0].getsockname()[1]

    async def accept(self, name, reader, writer):
        fate = self.chance.choice(FATES) if self.bad else "plain"
        self.fates[f"{name}, {fate}"] += 1
        connection = Connection(self, fate)
        self.connections.add(connection)
        try:
            await connection.run(reader, writer, self.targets[name])
        finally:
            self.connections.discard(connection)

    async def close(self):
        for server in self.servers:
            server.close()
        for connection in self.connections:
            connection.cut()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

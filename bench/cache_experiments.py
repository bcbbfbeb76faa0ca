"""The experiments about the result cache."""
import contextlib
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

from measuring import (BENCH, Repeats, disk_mb, echo, harness, median_of, median_ratio, program, say, sync_us,
                       timed)

VALUE_BYTES = 1024
REST_S = 10
SAMPLE_S = 0.1


# --- rate

def cache_rate(home, quick):
    """How long do cached values take through an open client, and how many a second, beside an echo and Redis GET?"""
    home.up(1)
    program("cache-fill", home=home)
    rounds = []
    with redis_server() as socket:
        for _ in Repeats(quick, 3 if quick else 9):
            bare = echo("--count", 50_000, "--payload", VALUE_BYTES)
            one = {"echo_p50_us": bare["latency_p50_us"], "echo_p99_us": bare["latency_p99_us"],
                   "echo_per_s": bare["echo_per_s"], "sync_p50_us": sync_us(home.path)}
            if socket:
                one |= program("redis-get", socket, "--payload", VALUE_BYTES)
            one |= program("cache-rate", home=home, timeout=300)
            rounds.append(one)
            say(", ".join(f"{name} {value:.0f}" for name, value in one.items()))
    digits = {"us": 1, "_s": 0, "he": 4}
    numbers = {name: median_of(rounds, name, digits[name[-2:]]) for name in rounds[0]}
    beside = {"echo": "echo_p50_us"} | ({"redis": "get_p50_us"} if socket else {})
    for other, time_of_other in beside.items():
        numbers[f"read_p50_to_{other}"] = median_ratio(rounds, "read_p50_us", time_of_other)
        numbers[f"hit_p50_to_{other}"] = median_ratio(rounds, "hit_p50_us", time_of_other)
    rates = {"echo": "echo_per_s"} | ({"redis": "gets_per_s"} if socket else {})
    for other, rate_of_other in rates.items():
        for name in ("reads", "hits", "sweep_hits"):
            numbers[f"{name}_to_{other}"] = median_ratio(rounds, f"{name}_per_s", rate_of_other, 4)
    return numbers if socket else numbers | {"redis": "not installed"}


@contextlib.contextmanager
def redis_server():
    """The Unix socket of a Redis that keeps nothing on disk; None when it, or its client for C, is not installed."""
    if shutil.which("redis-server") is None or not (BENCH / "icarus-bench-redis-get").exists():
        say("Redis is not measured: scripts/install-deps --bench installs it")
        yield None
        return
    directory = pathlib.Path(tempfile.mkdtemp(prefix="icarus-redis-"))
    socket = directory / "redis"
    server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", socket, "--dir", directory, "--save", "",
                               "--appendonly", "no"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        harness.wait_until(socket.exists, "the socket of Redis")
        yield socket
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(directory)


# --- a million entries

def cache_million(home, quick):
    """What does a cached entry of 1 KiB cost in memory and on disk, and how fast is a cache with a million of them?"""
    count = 50_000 if quick else 1_000_000
    home.up(1)
    bounds(home, entries=count + 1000, size_mb=4096)
    empty_mb = broker_mb(home)
    numbers = program("cache-fill", "--count", count, home=home, timeout=600)
    time.sleep(3 if quick else REST_S)
    numbers |= {"entries": entries_of(home), "memory_bytes_an_entry": bytes_each(broker_mb(home) - empty_mb, count),
                "disk_bytes_an_entry": bytes_each(disk_mb(home.path / "cache"), count)}
    say(f"{numbers}")
    numbers |= program("cache-rate", "--entries", count, "--sweep", 10_000 if quick else 100_000, home=home, timeout=300)
    home.kill_broker()
    begin = time.monotonic()
    home.up(1)
    numbers["entries_after_restart"] = entries_of(home)
    numbers["restart_s"] = round(time.monotonic() - begin, 2)
    numbers["memory_bytes_an_entry_after_restart"] = bytes_each(broker_mb(home) - empty_mb, count)
    return numbers


def bounds(home, entries, size_mb):
    home.icarus("config", "set", "cache.max_entries", entries)
    home.icarus("config", "set", "cache.max_size_mb", size_mb)


def broker_mb(home):
    return harness.resident_mb(home.broker().pid)


def entries_of(home):
    return home.json("cache", "stats")["entries"]


def bytes_each(megabytes, count):
    return round(megabytes * 2**20 / count)


# --- churn

CHURN_ENTRIES, CHURN_SIZE_MB, CHURN_TTL_S = 20_000, 32, 1


def cache_churn(home, quick):
    """Do eviction and expiry keep up with what is put, and does the disk give its space back?"""
    count = 40_000 if quick else 300_000
    home.up(2)
    bounds(home, CHURN_ENTRIES, CHURN_SIZE_MB)
    numbers = {"disk_bound_mb": 1.3 * CHURN_SIZE_MB + 64}
    numbers |= churn(home, "imported", count, ["cache-fill", "--count", count])
    numbers |= churn(home, "computed", count, None)
    # Apart from the bounds, which must not be what removes them.
    bounds(home, 2 * count, 8192)
    home.icarus("cache", "clear")
    numbers |= churn(home, "expiring", count, ["cache-fill", "--first", 10 * count, "--count", count, "--ttl-ms",
                                               CHURN_TTL_S * 1000])
    return numbers


def churn(home, name, count, fill):
    """One filling at the greatest rate; `fill`: the program that does it; None: no-ops that two workers compute."""
    before = home.json("cache", "stats")
    directory = home.path / "cache"
    command = [BENCH / f"icarus-bench-{fill[0]}", *map(str, fill[1:])] if fill else [
        harness.BIN / "icarus", "submit", "noop", "--cache", "-p", f"bytes={VALUE_BYTES}", "--sweep",
        f"i={20 * count}:{21 * count - 1}:1", "--wait", "-q"]
    begin = time.monotonic()
    process = subprocess.Popen(command, env=home.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    samples, most_disk_mb = [], 0.0
    while process.poll() is None:
        samples.append(home.json("cache", "stats")["entries"])
        most_disk_mb = max(most_disk_mb, disk_mb(directory))
        time.sleep(SAMPLE_S)
    seconds = time.monotonic() - begin
    if process.returncode != 0:
        raise SystemExit(f"filling the cache failed: {' '.join(map(str, command))}")
    time.sleep(REST_S)
    after = home.json("cache", "stats")
    stored = home.json("cache", "verify")["checked"]
    numbers = {"puts_per_s": round(count / seconds), "samples": len(samples), "most_entries": max(samples),
               "most_disk_mb": round(most_disk_mb), "rest_disk_mb": round(disk_mb(directory)),
               "rest_entries": after["entries"], "rest_stored": stored,
               "evictions": after["evictions"] - before["evictions"],
               "expirations": after["expirations"] - before["expirations"]}
    if not fill or fill[-2] != "--ttl-ms":
        numbers["bound_held"] = max(samples + [after["entries"]]) <= CHURN_ENTRIES
    say(f"{name}: {numbers}")
    return {f"{name}_{key}": value for key, value in numbers.items()}


# --- policy

def cache_policy(_home, quick):
    """How many compute seconds does weighing entries by their cost save, beside dropping the least recently used?"""
    numbers = {}
    for name, shares in program("cache-policy", "--requests", 200_000 if quick else 2_000_000, timeout=300).items():
        numbers[f"{name}_saved"] = shares["saved"]
        numbers[f"{name}_saved_lru"] = shares["saved_lru"]
        numbers[f"{name}_ratio_to_lru"] = round(shares["saved"] / shares["saved_lru"], 3)
        numbers[f"{name}_hits"] = shares["hits"]
        numbers[f"{name}_hits_lru"] = shares["hits_lru"]
    return numbers


# --- XFOIL

def cache_xfoil(home, quick):
    """How long does an XFOIL polar of 23 angles take computed, cached, after a restart, and in another home?"""
    repeats = 5 if quick else 20
    home.up(1)
    computed = polars(home, "--refresh", 1, "--count", repeats)
    cached = polars(home, "--count", repeats)
    restarted = []
    for _ in range(repeats):
        home.down()
        home.up(1)
        restarted += polars(home)
    file = home.directory / "polar.cache"
    home.icarus("cache", "export", file)
    imported = in_another_home(file, repeats)
    numbers = {}
    for name, seconds in {"computed": computed, "cached": cached, "restarted": restarted, "imported": imported}.items():
        numbers[f"{name}_ms"] = round(statistics.median(seconds) * 1000, 3)
        if name != "computed":
            numbers[f"{name}_speedup"] = round(statistics.median(computed) / statistics.median(seconds), 1)
    return numbers


def polars(home, *options):
    return program("polar", *options, home=home)["seconds"]


def in_another_home(file, repeats):
    """Each time the first answer after its import into an empty cache."""
    seconds = []
    other = harness.Home()
    try:
        other.up(1)
        for _ in range(repeats):
            other.icarus("cache", "clear")
            other.icarus("cache", "import", file)
            seconds += polars(other)
    finally:
        other.close()
    return seconds


EXPERIMENTS = {"cache-rate": cache_rate, "cache-million": cache_million, "cache-churn": cache_churn,
               "cache-policy": cache_policy, "cache-xfoil": cache_xfoil}

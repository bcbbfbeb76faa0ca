#!/usr/bin/python3
"""Reads every #include and fails on an arrow that the architecture does not have.

Usage: check_layers.py [--root DIR]

Three tables hold the rules: what a folder may include of ours, where a library from outside may be named, and what
the pure folders may not touch. A more specific path wins over a more general one.
"""
import argparse
import pathlib
import re
import sys

MESSAGES = "common/protocol/messages.h"
CODEC = "common/protocol/map_codec.h"
RESULTS = "common/protocol/result_codec.h"
COMPRESSION = "common/protocol/dictionary_compressor.h"

BASE = ["common/base/"]
MODEL = BASE + ["common/model/"]
PURE = MODEL + ["common/analysis/", MESSAGES]
COMMON = ["common/"]

# Folder or file -> what of ours it may include, beside itself.
LAYERS = {
    "common/base/": [],
    "common/model/": BASE,
    "common/analysis/": MODEL,
    "common/protocol/": MODEL,
    "common/transport/": MODEL + [MESSAGES, "common/protocol/codec.h"],
    "common/config/": MODEL,
    "broker/core/": PURE + [RESULTS, COMPRESSION],
    "broker/core/job_packer.cc": PURE + [CODEC, "broker/core/"],  # a job in memory is packed as it would be stored
    "broker/ports/": PURE + ["broker/core/"],
    "broker/storage/": PURE + [CODEC, "broker/core/", "broker/ports/"],
    "broker/net/": COMMON + ["broker/core/", "broker/ports/"],
    "broker/http/": COMMON + ["broker/core/", "broker/ports/"],
    "broker/allocation/": COMMON + ["broker/core/", "broker/ports/"],
    "broker/": COMMON + ["broker/"],
    "worker/core/": PURE,
    "worker/solvers/": PURE,
    "worker/launcher/": PURE + [CODEC, RESULTS, "worker/solvers/", "worker/telemetry/"],
    "worker/telemetry/": MODEL,
    "worker/net/": COMMON + ["worker/core/"],
    "worker/": COMMON + ["worker/"],
    "client/lib/": COMMON,
    "client/output/": PURE + [CODEC, "common/protocol/codec.h", "client/lib/"],
    "client/": COMMON + ["client/"],
    "bench/": COMMON + ["client/lib/"],
    "bench/cache_policy.cc": COMMON + ["bench/", "broker/core/"],
    "tests/": [""],
}

# Library -> the only places that may name its headers.
LIBRARIES = {
    r"zmq(_addon)?\.h(pp)?": ["common/transport/", "bench/", "tests/"],
    r"msgpack(\.hpp|/.*)": [CODEC, "common/protocol/codec.cc", "tests/"],
    r"rocksdb/.*": ["broker/storage/", "bench/", "tests/"],
    r"CLI/.*": ["client/cli/", "broker/main.cc", "worker/main.cc"],
    r"toml\+\+/.*|toml\+\+\.h": ["common/config/", "common/analysis/"],
    r"nlohmann/.*": ["common/config/access_file.cc", "client/output/", "client/cli/", "broker/http/", "broker/cache_form.cc",
                     "broker/tool_output.cc",
                     "worker/launcher/json_members.cc", "tests/"],
    r"cairo.*": ["client/output/", "tests/"],
    r"Eigen/.*": ["worker/solvers/", "tests/"],
    r"sodium.*": ["common/model/", "common/transport/"],
    r"xxhash\.h": ["common/model/", "broker/storage/"],
    r"zstd\.h": ["broker/storage/", "common/protocol/"],
    r"hiredis/.*": ["bench/"],
    r"httplib\.h": ["broker/http/"],
}

# The codec drags msgpack in, so its users are named one by one.
CODEC_USERS = [
    "broker/core/job_packer.cc",
    "broker/storage/record_codec.cc",
    "common/protocol/codec.cc",
    "common/protocol/map_codec.cc",
    "common/protocol/result_codec.cc",
    "worker/launcher/launcher_codec.cc",
    "tests/",
]

# Folders that decide and never act: no clock, file, socket, thread, lock or chance.
PURE_FOLDERS = ["broker/core/", "worker/core/", "common/analysis/", "common/model/"]
IMPURE_OF_OURS = ["common/base/files.h", "common/base/unique_fd.h"]
IMPURE_STD = {
    "thread", "mutex", "shared_mutex", "condition_variable", "future", "atomic", "semaphore", "latch", "barrier",
    "stop_token", "fstream", "iostream", "filesystem", "random", "chrono", "ctime", "csignal",
}
PURE_LIBRARIES = re.compile(r"sodium|xxhash|toml")  # hashing and parsing: the same bytes give the same answer

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
FOLDERS = ["common", "broker", "worker", "client", "bench", "tests"]


def within(path, places):
    return any(path == place or (place.endswith("/") and path.startswith(place)) or place == "" for place in places)


def layer_of(path):
    found = [layer for layer in LAYERS if within(path, [layer])]
    return max(found, key=len) if found else None


def check_ours(path, header):
    layer = layer_of(path)
    if layer is None:
        return "lies in no layer that the check knows"
    if header.startswith(layer):
        return None
    if header.split("/")[0] not in FOLDERS:
        return "is not written from the root of the tree"
    if not within(header, LAYERS[layer]):
        return f"is not allowed in {layer}"
    return None


def check_codec(path, header):
    if header == CODEC and not within(path, CODEC_USERS):
        return "may be included only by the files listed as CODEC_USERS"
    return None


def check_library(path, header):
    for pattern, places in LIBRARIES.items():
        if re.fullmatch(pattern, header) and not within(path, places):
            return f"may be named only in {', '.join(places)}"
    return None


def check_pure(path, kind, header):
    if not within(path, PURE_FOLDERS):
        return None
    if header in IMPURE_OF_OURS and not path.startswith("common/"):
        return "acts on the outside; this folder only decides"
    if kind == "<" and (header in IMPURE_STD or (header.endswith(".h") and not PURE_LIBRARIES.match(header))):
        return "acts on the outside; this folder only decides"
    return None


def problems_of(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        kind, header = match.groups()
        checks = [check_pure(path, kind, header), check_library(path, header)]
        if kind == '"':
            checks += [check_ours(path, header), check_codec(path, header)]
        for problem in filter(None, checks):
            yield f"{path}:{number}: {header} {problem}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    root = parser.parse_args().root
    problems, files = [], 0
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix in (".h", ".cc", ".c") and file.is_file():
                files += 1
                problems += problems_of(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8"))
    for problem in problems:
        print(problem)
    if files == 0:
        print(f"{root}: no source files")
    return 1 if problems or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())

"""Balancing: a client finds behind Tandem the server it found behind HAProxy."""

import pathlib
import re

from lab.lab import PROGRAMS, PYTHON
from lab.process import Process, wait_until

CONFIGURATION = pathlib.Path(__file__).parent / "configs" / "balance.cfg"
SOURCES = 60


def test_same_server_as_behind_haproxy(lab, say, tmp_path):
    namespace = lab.network.namespace("client")
    # Any address of these networks is the client's.
    for words in (
        "ip link set lo up",
        "ip -6 route add local fd00::/64 dev lo",
        "sysctl -q net.ipv6.ip_nonlocal_bind=1",
    ):
        lab.network.exec("client", *words.split())
    sections = dict(
        re.findall(r"^listen (\S+)\n    bind \S+:(\d+)$", CONFIGURATION.read_text(), re.MULTILINE)
    )
    commands = {
        "haproxy": ["haproxy", "-db", "-f", CONFIGURATION],
        "tandem": [lab.binary, "-R", tmp_path / "run", "-db", "-f", CONFIGURATION],
    }
    chosen = {}
    for name, argv in commands.items():
        process = Process(name, argv, tmp_path / f"{name}.log", namespace=namespace)
        lab.started(process)
        try:
            wait_until(lambda: listens(lab, sections), 10, f"{name} listens")
            chosen[name] = ask(lab, sections)
        finally:
            process.stop(5)
    for section in sections:
        ours, theirs = chosen["tandem"][section], chosen["haproxy"][section]
        differ = sum(a != b for a, b in zip(ours, theirs))
        say(f"{section}: {len(set(ours))} servers for {len(ours)} addresses, {differ} at another")
        assert len(ours) == SOURCES and len(set(ours)) > 1
        assert differ == 0


def listens(lab, sections):
    sockets = lab.network.exec("client", "ss", "-Hltn")
    return all(f":{port} " in sockets for port in sections.values())


def ask(lab, sections):
    argv = [PYTHON, PROGRAMS / "many_sources.py", SOURCES, *sections.values()]
    answer = lab.network.exec("client", *map(str, argv))
    lines = {words[0]: words[1:] for words in map(str.split, answer.splitlines())}
    return {section: lines[port] for section, port in sections.items()}

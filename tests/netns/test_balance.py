"""Balancing: a client finds behind Tandem the server it found behind HAProxy."""

import pathlib
import re

from lab.lab import PROGRAMS, PYTHON
from lab.twins import twins

CONFIGURATION = pathlib.Path(__file__).parent / "configs" / "balance.cfg"
SOURCES = 60


def test_same_server_as_behind_haproxy(lab, say, tmp_path):
    # Any address of these networks is the client's.
    lab.network.exec("client", "ip", "link", "set", "lo", "up")
    lab.network.exec("client", "ip", "-6", "route", "add", "local", "fd00::/64", "dev", "lo")
    lab.network.exec("client", "sysctl", "-q", "net.ipv6.ip_nonlocal_bind=1")
    sections = dict(
        re.findall(r"^listen (\S+)\n    bind \S+:(\d+)$", CONFIGURATION.read_text(), re.MULTILINE)
    )
    chosen = {
        name: ask(lab, sections) for name, _ in twins(lab, CONFIGURATION, tmp_path)
    }
    for section in sections:
        ours, theirs = chosen["tandem"][section], chosen["haproxy"][section]
        differ = sum(a != b for a, b in zip(ours, theirs))
        say(f"{section}: {len(set(ours))} servers for {len(ours)} addresses, {differ} at another")
        assert len(ours) == SOURCES and len(set(ours)) > 1
        assert differ == 0


def ask(lab, sections):
    argv = [PYTHON, PROGRAMS / "many_sources.py", SOURCES, *sections.values()]
    answer = lab.network.exec("client", *map(str, argv))
    lines = {words[0]: words[1:] for words in map(str.split, answer.splitlines())}
    return {section: lines[port] for section, port in sections.items()}

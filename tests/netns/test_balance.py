"""Balancing: a client finds behind Tandem the server it found behind HAProxy."""

import pathlib
import re

from lab.lab import PROGRAMS, PYTHON
from lab.twins import twins

CONFIGS = pathlib.Path(__file__).parent / "configs"
SOURCES = 60


def test_same_server_as_behind_haproxy(lab, say, tmp_path):
    # Any address of these networks is the client's.
    lab.network.exec("client", "ip", "link", "set", "lo", "up")
    lab.network.exec("client", "ip", "-6", "route", "add", "local", "fd00::/64", "dev", "lo")
    lab.network.exec("client", "sysctl", "-q", "net.ipv6.ip_nonlocal_bind=1")
    configuration = CONFIGS / "balance.cfg"
    sections = sections_of(configuration)
    chosen = {
        name: ask(lab, sections, "many_sources.py", SOURCES)
        for name, _ in twins(lab, configuration, tmp_path)
    }
    for section in sections:
        ours, theirs = chosen["tandem"][section], chosen["haproxy"][section]
        differ = sum(a != b for a, b in zip(ours, theirs))
        say(f"{section}: {len(set(ours))} servers for {len(ours)} addresses, {differ} at another")
        assert len(ours) == SOURCES and len(set(ours)) > 1
        assert differ == 0


def test_leastconn_chooses_as_haproxy_does(lab, say, tmp_path):
    """Connections come and go, and each is given the very server that HAProxy gives it."""
    configuration = CONFIGS / "leastconn.cfg"
    sections = sections_of(configuration)
    chosen = {
        name: ask(lab, sections, "histories.py") for name, _ in twins(lab, configuration, tmp_path)
    }
    for section in sections:
        ours, theirs = chosen["tandem"][section], chosen["haproxy"][section]
        differ = sum(a != b for a, b in zip(ours, theirs))
        say(f"{section}: {len(set(ours))} servers for {len(ours)} connections, {differ} at another")
        assert len(ours) > 100 and len(set(ours)) == 4
        assert ours == theirs


def sections_of(configuration):
    """Their ports, by their names."""
    text = configuration.read_text()
    return dict(re.findall(r"^listen (\S+)\n    bind \S+:(\d+)$", text, re.MULTILINE))


def ask(lab, sections, program, *arguments):
    argv = [PYTHON, PROGRAMS / program, *arguments, *sections.values()]
    answer = lab.network.exec("client", *map(str, argv))
    lines = {words[0]: words[1:] for words in map(str.split, answer.splitlines())}
    return {section: lines[port] for section, port in sections.items()}

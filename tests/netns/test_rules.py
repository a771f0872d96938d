"""Rules, expressions and log formats in TCP mode, beside HAProxy."""

import re
import subprocess

from lab.lab import PROGRAMS, PYTHON
from lab.process import Process, wait_until
from lab.twins import twins


def lines(log, kind):
    """What a log says of connections: where they went, how much came back, how they ended."""
    text = log.read_text(errors="replace")
    if kind == "format":
        return sorted(re.findall(r"^(?:.* )?(LOG .*)$", text, re.MULTILINE))
    return sorted(re.findall(r"\[[^]]*:\d\d\.\d{3}\] (\S+ \S+) \S+ (\d+ \S\S) ", text))


def test_rules_are_haproxys(lab, say, tmp_path):
    """The same file and the same bytes for both: the same backends, the same words in the log."""
    program = PROGRAMS / "rules.py"
    subprocess.run([PYTHON, program, "config", tmp_path], check=True)
    answers, ends, formats = {}, {}, {}
    for name, log in twins(lab, tmp_path / "rules.cfg", tmp_path):
        asked = tmp_path / f"{name}.answers"
        client = Process(
            "rules", [PYTHON, program, "ask"], asked, namespace=lab.network.namespace("client")
        )
        lab.started(client)
        wait_until(lambda: "\ndoor: " in asked.read_text(), 60, "all has been asked")
        client.stop()
        answers[name] = asked.read_text().splitlines()
        wait_until(lambda: len(lines(log, "end")) >= len(answers[name]) - 16, 20, "all is logged")
        wait_until(lambda: len(lines(log, "format")) == 17, 20, "the formats are logged")
        ends[name], formats[name] = lines(log, "end"), lines(log, "format")
    say(f"{len(answers['tandem'])} connections by {len(set(answers['tandem']))} rules")
    assert answers["tandem"] == answers["haproxy"]
    assert ends["tandem"] == ends["haproxy"]
    assert formats["tandem"] == formats["haproxy"]


def test_lines_are_as_long_as_their_targets_take(lab, say, tmp_path):
    """A line of thousands of octets, which every target gets as far as its `len` goes, and not less."""
    program = PROGRAMS / "lines.py"
    subprocess.run([PYTHON, program, "config", tmp_path], check=True)
    came = tmp_path / "came"
    namespace = lab.network.namespace("client")
    lab.network.exec("client", "ip", "link", "set", "lo", "up")
    targets = Process("targets", [PYTHON, program, "listen", tmp_path], came, namespace=namespace)
    lab.started(targets)
    wait_until(lambda: "ready" in came.read_text(), 10, "the targets listen")
    seen = {}
    for name, log in twins(lab, tmp_path / "lines.cfg", tmp_path):
        before = len(came.read_text())
        lab.network.exec("client", PYTHON, program, "ask")
        wait_until(lambda: came.read_text()[before:].count("LONG") == 4, 20, "lines have come")
        wait_until(lambda: "LONG" in log.read_text(errors="replace"), 20, "it is logged")
        seen[name] = sorted(came.read_text()[before:].splitlines())
        seen[name] += re.findall(r"^LONG.*$", log.read_text(errors="replace"), re.MULTILINE)
    say(", ".join(line.partition(" octets")[0] for line in seen["tandem"][:-1]))
    assert seen["tandem"] == seen["haproxy"]
    assert "5000 END" in seen["tandem"][3]

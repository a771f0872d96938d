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
        wait_until(lambda: len(lines(log, "end")) >= len(answers[name]) - 4, 20, "all is logged")
        wait_until(lambda: len(lines(log, "format")) == 5, 20, "the formats are logged")
        ends[name], formats[name] = lines(log, "end"), lines(log, "format")
    say(f"{len(answers['tandem'])} connections by {len(set(answers['tandem']))} rules")
    assert answers["tandem"] == answers["haproxy"]
    assert ends["tandem"] == ends["haproxy"]
    assert formats["tandem"] == formats["haproxy"]

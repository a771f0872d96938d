"""Checks that speak a protocol, against servers that hang."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess

import pytest

from lab import config
from lab.lab import PAIR, PROGRAMS, PYTHON
from lab.margin import within
from lab.process import Process, now, stat, wait_until
from lab.twins import twins

INTER_S, FALL, CHECK_S = 0.5, 3, 0.5


@pytest.mark.quick
def test_hung_server(lab, patience, say):
    """Row 10: only what was sent to it before (fall + 1) x inter + timeout check fails."""
    check = f"check inter {INTER_S * 1000:.0f}ms fall {FALL} rise 2"
    health = f"    option httpchk GET /\n    timeout check {CHECK_S * 1000:.0f}ms\n"
    pair = config.Pair(version=3, advert_s=0.3)
    for name in PAIR:
        lab.tandem(name, pair, proxy=config.proxy(check) + health)
    lab.start_pair(timeout=10 * patience)
    probe = lab.probe()
    probe.wait_ok(timeout=10 * patience)
    web = lab.webs["web1"]
    struck = now()
    os.kill(web.pid, signal.SIGSTOP)
    try:
        # Not one failure in as many launches as the bound is long: the server is out.
        probe.wait_ok(in_a_row=200, timeout=20 * patience)
    finally:
        os.kill(web.pid, signal.SIGCONT)
    failed = probe.failed(struck - CHECK_S)
    bound_s = (FALL + 1) * INTER_S + CHECK_S
    last_s = max(entry[0] for entry in failed) - struck
    probe.wait_ok(in_a_row=100)
    probe.stop()
    say(f"row 10 a web server hangs: {len(failed)} failed, the last launched after "
        f"{last_s * 1000:.0f} ms (bound {bound_s * 1000:.0f})")
    assert last_s * 1000 <= within(bound_s * 1000, patience)
    for node in lab.nodes.values():
        assert node.complaints() == []


def verdicts(text):
    """What a log says of checks and servers, without times."""
    words = r"((?:Health check for|Backup|Server|backend) \S*.*)$"
    found = re.findall(words, re.sub(r"duration: \d+ms", "duration: Nms", text), re.MULTILINE)
    return {line for line in found if "check duration" in line or "is DOWN" in line or "stopping" in line}


def test_words_are_haproxys(lab, say, tmp_path):
    """The same file with both, the same lines in both logs."""
    configuration = pathlib.Path(__file__).parent / "configs" / "checks.cfg"
    namespace = lab.network.namespace("client")
    lab.network.exec("client", "ip", "link", "set", "lo", "up")
    answers = Process(
        "answers", [PYTHON, PROGRAMS / "answers.py"], tmp_path / "answers.log", namespace=namespace
    )
    lab.started(answers)
    wait_until(lambda: "listening" in (tmp_path / "answers.log").read_text(), 10, "the servers listen")
    logs = {}
    for name, log in twins(lab, configuration, tmp_path):
        logs[name] = log
        # Those that wait for a time limit come last; one failure takes a server down.
        wait_until(lambda: all_judged(log, configuration), 20, "all are judged")
    said = {name: verdicts(log.read_text()) for name, log in logs.items()}
    say(f"{len(said['haproxy'])} lines of HAProxy's, {len(said['tandem'])} of ours")
    assert said["tandem"] == said["haproxy"]
    answers.stop()


def test_tls_steps_are_haproxys(lab, say, tmp_path):
    """`connect` with ssl, sni, alpn, send-proxy and default: the servers are asked in the same way."""
    configuration = pathlib.Path(__file__).parent / "configs" / "checks-tls.cfg"
    certificate, heard = tmp_path / "server.pem", tmp_path / "answers.log"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", certificate, "-out", tmp_path / "cert.pem", "-subj", "/CN=server"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    with open(certificate, "a", encoding="ascii") as file:
        file.write((tmp_path / "cert.pem").read_text(encoding="ascii"))
    lab.network.exec("client", "ip", "link", "set", "lo", "up")
    answers = Process(
        "answers",
        [PYTHON, PROGRAMS / "answers_tls.py", certificate],
        heard,
        namespace=lab.network.namespace("client"),
    )
    lab.started(answers)
    wait_until(lambda: "listening" in heard.read_text(), 10, "the servers listen")
    said, asked, before = {}, {}, 0
    for name, log in twins(lab, configuration, tmp_path):
        wait_until(lambda: all_judged(log, configuration), 20, "all are judged")
        said[name] = verdicts(log.read_text())
        asked[name] = set(re.findall(r"^asked .*$", heard.read_text()[before:], re.MULTILINE))
        before = len(heard.read_text())
    answers.stop()
    say(f"{len(said['haproxy'])} lines, the servers asked in {len(asked['haproxy'])} ways by either")
    assert said["tandem"] == said["haproxy"]
    assert asked["tandem"] == asked["haproxy"]
    assert "asked 7202: sni two.example alpn other PING" in asked["tandem"]


CHECK_PROGRAMS = {
    "is there": """file=$HAPROXY_PROXY_NAME.$HAPROXY_SERVER_NAME
        { echo "$*"; env | grep -E '^(HAPROXY_|PATH=)' | sort; } >next.$$
        id -u >user.$file
        mv next.$$ told.$file""",
    "fails": "exit 3",
    "hangs": """(trap '' TERM; sleep 1000) &
        echo $! $$ >>running
        wait""",
    "killed": "kill -KILL $$",
}


def read_and_remove(directory, pattern):
    found = {path.name: path.read_text() for path in directory.glob(pattern)}
    for name in found:
        (directory / name).unlink()
    return found


def is_alive(pid):
    found = stat(pid)
    return bool(found) and found[0] != "Z"


def test_programs_are_run_as_haproxy_runs_them(lab, say, tmp_path):
    """`option external-check`: the same words, environment and lines; never as root, nobody left behind."""
    template = pathlib.Path(__file__).parent / "configs" / "programs.cfg"
    lab.network.exec("client", "ip", "link", "set", "lo", "up")
    directory = tmp_path / "programs"
    directory.mkdir()
    # Whoever runs the programs, and as whom, they write here.
    directory.chmod(0o777)
    for path in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        path.chmod(0o711)
    for program, text in CHECK_PROGRAMS.items():
        (directory / program).write_text(f"#!/bin/sh\ncd {directory}\n{text}\n")
        (directory / program).chmod(0o755)
    configuration = tmp_path / "programs.cfg"
    configuration.write_text(template.read_text().replace("DIRECTORY", str(directory)))
    said, words, users, running = {}, {}, {}, {}
    for name, log in twins(lab, configuration, tmp_path):
        wait_until(lambda: all_judged(log, configuration), 20, "all are judged")
        said[name] = verdicts(log.read_text())
        words[name] = read_and_remove(directory, "told.*")
        users[name] = {text.strip() for text in read_and_remove(directory, "user.*").values()}
        lab.processes[-1].stop(5)
        running[name] = [int(pid) for pid in read_and_remove(directory, "running")["running"].split()]
    for pid in running["haproxy"]:  # it ends a program, but not what that has begun
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    say(f"{len(said['tandem'])} lines, {len(words['tandem'])} servers' programs told the same by either")
    assert said["tandem"] == said["haproxy"]
    assert words["tandem"] == words["haproxy"] and len(words["tandem"]) == 3
    assert users["tandem"] and "0" not in users["tandem"], "a program has run as root"
    wait_until(lambda: not any(map(is_alive, running["tandem"])), 10, "nobody of theirs is left")


# An agent's lines, one after the other: each from the state that those before have led to.
AGENT_SAYS = [
    "up",
    "maint",
    "drain",
    "ready",
    "drain",
    "maint",
    "ready",
    "down",
    "maint",
    "ready",
    "down drain",
    "ready",
    "drain",
    "up",
    "maint up",
    "drain down",
    "drain up",
    "ready down",
    "ready up 0%",
    "down",
    "up 50% maxconn:7",
    "fail # out of disk",
    "UP bogus",
    "stopped",
    "up 100%",
    "maint down",
    "up ready maxconn:0",
]


def test_agents_words_are_haproxys(lab, patience, say, tmp_path):
    """What an agent says makes the same lines in both logs, in the same order for each server."""
    configuration = pathlib.Path(__file__).parent / "configs" / "agents.cfg"
    words, spoken = tmp_path / "words", tmp_path / "agent.log"
    namespace = lab.network.namespace("client")
    lab.network.exec("client", "ip", "link", "set", "lo", "up")
    servers = [
        Process("agent", [PYTHON, PROGRAMS / "agent.py", 7100, words], spoken, namespace=namespace),
        Process(
            "server", [PYTHON, PROGRAMS / "web.py", "s", 7101], tmp_path / "server.log", namespace=namespace
        ),
    ]
    words.write_text("ready")
    for process in servers:
        lab.started(process)
    wait_until(lambda: "listening" in spoken.read_text(), 10, "the agent listens")
    said = {}
    for name, log in twins(lab, configuration, tmp_path):
        for line in AGENT_SAYS:
            (tmp_path / "next").write_text(line)
            (tmp_path / "next").rename(words)
            heard = spoken.read_text().count("said ")
            # The first may have been read before; when the third is asked for, the second has had its effects.
            wait_until(
                lambda: spoken.read_text().count("said ") >= heard + 3,
                10 * patience,
                f"{name} has asked the agent for `{line}`",
            )
        said[name] = told_of_each(log.read_text())
    for process in servers:
        process.stop()
    lines = {name: sum(map(len, told.values())) for name, told in said.items()}
    say(f"{lines['haproxy']} lines of HAProxy's about agents, {lines['tandem']} of ours")
    assert lines["haproxy"] > 2 * len(AGENT_SAYS)
    assert said["tandem"] == said["haproxy"]


# on-error -> its frontend's port, and what the log of either says when the first event is over.
OBSERVED = {
    "fail-check": (7491, "status: 2/3 UP"),
    "sudden-death": (7493, "status: 1/3 UP"),
    "mark-down": (7494, "Server mark-down/s is UP"),
}


def test_observed_errors_are_haproxys(lab, patience, say, tmp_path):
    """`observe layer4`: connections that fail make the same lines, and checks make up for them."""
    configuration = pathlib.Path(__file__).parent / "configs" / "observed.cfg"
    lab.network.exec("client", "ip", "link", "set", "lo", "up")
    server = Process(
        "server",
        [PYTHON, PROGRAMS / "web.py", "s", 7401],
        tmp_path / "server.log",
        namespace=lab.network.namespace("client"),
    )
    lab.started(server)
    said = {}
    for name, log in twins(lab, configuration, tmp_path):
        passed = "reason: Layer4 check passed"
        wait_until(lambda: log.read_text().count(passed) >= 4, 40 * patience, f"{name} has checked all")
        for mode, (port, line) in OBSERVED.items():
            # Two are no event; the third is, and only one.
            lab.network.exec("client", PYTHON, PROGRAMS / "knock.py", port, 2)
            assert f"Health check for server {mode}/s failed" not in log.read_text()
            lab.network.exec("client", PYTHON, PROGRAMS / "knock.py", port, 1)
            healed = re.compile(rf"{mode}/s failed.*\n(?s:.*){mode}/s succeeded, .* status: 3/3 UP")
            wait_until(lambda: healed.search(log.read_text()), 20, f"{name}: {mode} is healed")
            wait_until(lambda: line in log.read_text(), 20, f"{name}: {line}")
        said[name] = {line for line in told(log.read_text()) if "fastinter/" not in line}
        # This one hurries the check, and says nothing.
        before = log.read_text()
        lab.network.exec("client", PYTHON, PROGRAMS / "knock.py", 7492, 3)
        assert "fastinter/s" not in log.read_text()[len(before) :].replace("connect from", "")
    server.stop()
    say(f"{len(said['haproxy'])} lines of HAProxy's about errors of sessions, {len(said['tandem'])} of ours")
    assert any("Detected 3 consecutive errors" in line for line in said["haproxy"])
    assert said["tandem"] == said["haproxy"]


def told(text):
    """What a log says of servers and their health, without times."""
    words = r"^((?:Health check for|Server) .*)$"
    return re.findall(words, re.sub(r"duration: \d+ms", "duration: Nms", text), re.MULTILINE)


def told_of_each(text):
    """Of each server, what a log says of it, in its order; not of checks, which have their own beat."""
    told = {}
    for line in re.sub(r"duration: \d+ms", "duration: Nms", text).splitlines():
        about = re.match(r"(?:Agent check for server|Server|backend) (\S+) ", line)
        if about:
            told.setdefault(about.group(1), []).append(line)
    return told


def all_judged(log, configuration):
    text = log.read_text()
    wanted = set(re.findall(r"^backend (\S+)", configuration.read_text(), re.MULTILINE))
    judged = set(re.findall(r"Health check for server (\S+)/s ", text))
    failed = set(re.findall(r"Health check for server (\S+)/s failed", text))
    return judged == wanted and failed == set(re.findall(r"Server (\S+)/s is DOWN", text))

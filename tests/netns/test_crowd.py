"""More clients than there is room for: all are served.  Clients that read nothing: they cost little."""

import re
import subprocess

from lab.lab import PROGRAMS, PYTHON
from lab.process import Process, descendants, wait_until
from lab.twins import listens

LIMITS = {"server-maxconn": 5, "frontend-maxconn": 5, "all": 110}
KIB_EACH = 256  # of the worker's memory, ten times what it takes


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return int(re.search(r"^VmRSS:\s+(\d+)", file.read(), re.MULTILINE)[1])


def test_nobody_is_lost(lab, say, tmp_path, patience):
    program = PROGRAMS / "crowd.py"
    subprocess.run([PYTHON, program, "config", tmp_path], check=True)
    configuration = tmp_path / "crowd.cfg"
    namespace = lab.network.namespace("client")
    lab.network.exec("client", "ip", "link", "set", "lo", "up")
    argv = [lab.binary, "-R", tmp_path / "run", "-db", "-f", configuration]
    tandem = Process("tandem", argv, tmp_path / "tandem.log", namespace=namespace)
    lab.started(tandem)
    ports = re.findall(r"bind \S+:(\d+)", configuration.read_text())
    wait_until(lambda: listens(lab, ports), 10 * patience, "Tandem listens")
    heard = tmp_path / "heard"
    crowd = Process("crowd", [PYTHON, program, "play"], heard, namespace=namespace)
    lab.started(crowd)
    wait_until(lambda: "\nall: " in heard.read_text(), 60 * patience, "the crowd has been served")
    found = re.findall(r"^(\S+): (\d+) of (\d+), peak (\d+)$", heard.read_text(), re.MULTILINE)
    log = tmp_path / "tandem.log"
    logged = re.compile(r"END (\S+ -?)\d+$", re.MULTILINE)
    wait_until(lambda: len(logged.findall(log.read_text())) >= 60, 10 * patience, "all is logged")
    killed = logged.findall(log.read_text()).count("killed ")
    say(f"{killed} sessions were on the server that was killed")
    for name, answered, asked, peak in found:
        say(f"{name}: {answered} of {asked} answered, at most {peak} at once")
        # Whoever was connected to it is lost with it, and nobody else.
        assert int(answered) == int(asked) - (killed if name == "server-killed" else 0)
        assert 1 <= int(peak) <= LIMITS.get(name, 1000)
    assert killed >= 5
    assert len(found) == 7
    worker = descendants(tandem.pid)[-1]
    before = resident_kib(worker)
    pattern = re.compile(r"^silent: (\d+) have (\d+) bytes$", re.MULTILINE)
    silent = wait_until(lambda: pattern.search(heard.read_text()), 60 * patience, "all are fed")
    grown = resident_kib(worker) - before
    say(f"{silent[1]} clients read nothing of {int(silent[2]) >> 20} MiB: the worker has {grown} KiB more")
    assert grown < int(silent[1]) * KIB_EACH
    crowd.stop()
    assert tandem.stop(5)

"""Upgrade in place: another binary in the same process, and nobody notices."""

import contextlib
import dataclasses
import os
import pathlib
import signal
import socket
import struct
import subprocess
import time

import pytest

from lab import config
from lab.binary import Binary, crashing, hanging
from lab.lab import PROGRAMS, PYTHON
from lab.margin import check_unharmed, within
from lab.process import Process, descendants, fd_count, stat, wait_until
from test_hmac import with_hmac

# What guardian and worker say to each other has a fingerprint, which this is a part of.
LANGUAGE = (b"THAW GUARDIAN", b"THEW GUARDIAN")


@pytest.fixture
def binary(lab, tmp_path):
    """Nodes are started from a copy of the daemon."""
    copy = Binary(lab.binary, tmp_path / "tandem")
    lab.installed = str(copy.path)
    return copy


def lasting(lab, idle, long):
    """Connections that lie idle and are used again, and long downloads."""
    argv = [PYTHON, PROGRAMS / "lasting.py", lab.vip, 80, idle, long]
    log = f"{lab.directory}/lasting-{time.monotonic():.3f}.log"
    process = Process("lasting", argv, log, namespace=lab.network.namespace("client"))
    lab.started(process)
    return process


def ends(process):
    """[(kind, how it ended), ...]"""
    return [tuple(line.split(" ", 3)[2:]) for line in process.output().splitlines()]


def gaps_ms(capture, source):
    times = [advert[0] for advert in capture.adverts(source)]
    return [1000 * (b - a) for a, b in zip(times, times[1:])]


def memory_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


def serving(node):
    """Not one that only finishes its sessions."""
    return node.status_json()["worker_pid"]


def entered(*nodes):
    return [node.log_text().count("Entering") for node in nodes]


@pytest.mark.quick
def test_upgrade_of_the_master(lab, binary, pair_of, patience, fast, say):
    """Another version, under load: nothing fails, nothing breaks, the peer hears nothing of it."""
    pair = fast()
    lb1, lb2 = pair_of(pair)
    pid, worker, before = lb1.guardian, serving(lb1), entered(lb1, lb2)
    load, probe, capture = lasting(lab, 20, 2), lab.probe(), lab.capture("upgrade")
    probe.wait_ok()
    binary.install(binary.of_version("0.1.9"))
    status, text = lb1.command("upgrade")
    assert status == 0, text
    assert serving(lb1) != worker and lb1.guardian == pid and lb1.alive
    assert os.readlink(f"/proc/{pid}/exe") == str(binary.path)
    shown = lb1.status_json()
    assert shown["version"] == "0.1.9" and shown["guardian_pid"] == pid
    assert shown["uptime_ms"] > 500, "since the daemon was started"
    wait_until(lambda: ("idle", "done") in ends(load) and ("long", "done") in ends(load),
               20 * patience, "connections from before have ended well")  # fmt: skip
    probe.wait_ok()
    probe.stop()
    capture.stop()
    check_unharmed(probe, patience)
    assert {how for _, how in ends(load)} == {"done"}
    assert entered(lb1, lb2) == before
    assert lab.watch.holders(lab.vip) == ["lb1"]
    assert capture.adverts("10.0.0.12") == []
    longest = max(gaps_ms(capture, "10.0.0.11"))
    took = lb1.log_text().split("upgraded to version 0.1.9 in ")[1].split()[0]
    say(f"upgraded in {took} ms: 0 of {len(probe.launches)} probes and {len(ends(load))} lasting "
        f"connections failed, longest pause between advertisements {longest:.0f} ms of {1000 * pair.advert_s:.0f}")  # fmt: skip
    assert longest < within(3000 * pair.advert_s, patience)


def test_life_after_an_upgrade(lab, binary, pair_of, patience, fast, say):
    """By signal; then reload, resign and resume, the worker killed, another upgrade, and the end."""
    lb1, lb2 = pair_of(fast())
    worker = serving(lb1)
    os.kill(lb1.guardian, signal.SIGUSR2)
    wait_until(lambda: "upgraded to version" in lb1.log_text(), 10 * patience, "it is upgraded")
    assert serving(lb1) != worker
    probe = lab.probe()
    probe.wait_ok()
    assert lb1.reload()[0] == 0
    assert lb1.command("resign")[0] == 0
    lab.watch.wait_holders(lab.vip, ["lb2"], 3 * patience)
    assert lb1.command("upgrade")[0] == 0
    assert lb1.status_json()["instances"][0]["resigned"], "it stays resigned"
    assert lb1.command("resume")[0] == 0
    lab.watch.wait_holders(lab.vip, ["lb1"], 5 * patience)
    probe.wait_ok()
    calm = probe.outage_ms()
    worker = serving(lb1)
    os.kill(worker, signal.SIGKILL)
    lab.watch.wait_holders(lab.vip, ["lb2"], 3 * patience)
    assert "will executed" in lb1.log_text()
    lb1.wait_worker(other_than=worker, timeout=10 * patience)
    lab.watch.wait_holders(lab.vip, ["lb1"], 10 * patience)
    lab.network.ip("lb1", "addr", "del", f"{lab.vip}/32", "dev", "eth1")
    wait_until(lambda: "put back" in lb1.log_text(), 3 * patience, "what somebody removes is put back")
    lb1.terminate()
    lab.watch.wait_holders(lab.vip, ["lb2"], 3 * patience)
    wait_until(lambda: not lb1.alive, 5 * patience, "it ends")
    assert lb1.status_code == 0
    assert not lb1.run_directory.joinpath("command.sock").exists()
    probe.wait_ok()
    probe.stop()
    say(f"after an upgrade: outage {calm:.0f} ms by reload and resign, {probe.outage_ms():.0f} ms at worst")
    assert calm <= within(50, patience)


def test_guardian_killed_after_an_upgrade(lab, binary, pair_of, patience, fast, say):
    """The worker finds itself alone, and hands over; the lease ends what it cannot remove."""
    lb1, _ = pair_of(fast())
    assert lb1.command("upgrade")[0] == 0
    probe = lab.probe()
    probe.wait_ok()
    os.kill(lb1.guardian, signal.SIGKILL)
    lab.watch.wait_holders(lab.vip, ["lb2"], 10 * patience)
    probe.wait_ok()
    probe.stop()
    wait_until(lambda: lab.network.inhabitants("lb1") == [], 10 * patience, "nothing is left")
    say(f"guardian killed after an upgrade: outage {probe.outage_ms():.0f} ms")
    assert probe.outage_ms() <= within(500, patience)


def test_upgrade_of_the_backup(lab, binary, pair_of, fast, say):
    """It stays a backup, and goes on hearing its master."""
    lb1, lb2 = pair_of(fast())
    before = entered(lb1, lb2)
    binary.install(binary.of_version("0.1.9"))
    assert lb2.command("upgrade")[0] == 0
    shown = lb2.status_json()
    assert shown["version"] == "0.1.9" and shown["instances"][0]["state"] == "BACKUP"
    assert entered(lb1, lb2) == before
    assert lab.watch.holders(lab.vip) == ["lb1"]
    say("the backup was upgraded: no transition")


def test_twenty_upgrades(lab, binary, pair_of, patience, fast, say):
    """One after another, with a connection from before the first: nothing grows."""
    lb1, lb2 = pair_of(fast())
    before = entered(lb1, lb2)
    idle, probe = lab.hold(5), lab.probe()
    probe.wait_ok()
    assert lb1.command("upgrade")[0] == 0
    fds, kib = fd_count(lb1.guardian), memory_kib(lb1.guardian)
    for _ in range(19):
        status, text = lb1.command("upgrade")
        assert status == 0, text
    probe.wait_ok()
    probe.stop()
    check_unharmed(probe, patience)
    assert "lost" not in idle.output()
    wait_until(
        lambda: [w["sessions"] for w in lb1.status_json()["former_workers"]] == [5],
        5 * patience, "the status shows the worker that the idle connections hold open",
    )  # fmt: skip
    idle.stop(3)
    wait_until(lambda: len(lb1.pids()) == 2, 10 * patience, "the former workers have ended")
    wait_until(lambda: fd_count(lb1.guardian) <= fds, 5 * patience, "descriptors are closed again")
    say(f"20 upgrades: guardian had {fds} descriptors and {kib} KiB after the first, "
        f"{fd_count(lb1.guardian)} and {memory_kib(lb1.guardian)} KiB after the last")  # fmt: skip
    assert entered(lb1, lb2) == before
    if "ASAN" not in lb1.log_text():
        assert memory_kib(lb1.guardian) <= 1.5 * kib + 2048


def refused(lb1, before, words):
    """The upgrade fails, says why, and nothing has changed."""
    status, text = lb1.command("upgrade")
    assert status == 1, text
    assert words in text and "not upgraded" in text, text
    assert "not upgraded" in lb1.log_text()
    assert (lb1.guardian, serving(lb1), os.readlink(f"/proc/{lb1.guardian}/exe")) == before
    assert lb1.status_json()["version"] == "0.1.0"
    return text.strip().splitlines()[0]


def test_bad_binaries(lab, binary, pair_of, patience, fast, say):
    """Missing, not executable, no tandem, crashing, hanging, of another language: the old one goes on."""
    lb1, lb2 = pair_of(fast())
    runs = f"{binary.path} (deleted)"
    before = (lb1.guardian, serving(lb1), runs)
    transitions = entered(lb1, lb2)
    probe = lab.probe()
    probe.wait_ok()
    binary.remove()
    said = [refused(lb1, before, "No such file")]
    binary.install(binary.original, 0o644)
    said.append(refused(lb1, before, "Permission denied"))
    for data, words in (
        (pathlib.Path("/bin/false").read_bytes(), "does not take over"),
        (pathlib.Path("/bin/true").read_bytes(), "does not take over"),
        (b"no program at all\n", "does not take over"),
        (crashing(), "does not take over"),
        (hanging(), "does not answer"),
        (binary.with_text(*LANGUAGE), "another language"),
    ):
        binary.install(data)
        said.append(refused(lb1, before, words))
    probe.wait_ok()
    probe.stop()
    check_unharmed(probe, patience)
    assert entered(lb1, lb2) == transitions
    for line in said:
        say(f"refused: {line}")
    binary.install(binary.original)
    assert lb1.command("upgrade")[0] == 0, "and then it works"


@pytest.mark.quick
def test_the_new_one_gives_back(lab, binary, pair_of, patience, fast, say):
    """A file that does not load, and a port that is taken, which only the new one can find out."""
    lb1, lb2 = pair_of(fast())
    good = lb1.files[0].read_text(encoding="utf-8")
    before = (lb1.guardian, serving(lb1), f"{binary.path} (deleted)")
    transitions, probe, load = entered(lb1, lb2), lab.probe(), lasting(lab, 5, 1)
    probe.wait_ok()
    binary.install(binary.of_version("0.1.9"))
    lb1.configure([("tandem.conf", good + "backend more\n    balance roundrobbin\n")])
    said = refused(lb1, before, "roundrobbin")
    assert "0.1.9 has taken over" not in lb1.log_text()
    other = lab.occupy("lb1", 8081)
    extra = "frontend more\n    bind *:8081\n    default_backend app\n"
    lb1.configure([("tandem.conf", good + extra)])
    said += "; " + refused(lb1, before, "Address already in use")
    log = lb1.log_text()
    assert "version 0.1.9 has taken over" in log and "version 0.1.9 gives back" in log
    other.kill_all()
    wait_until(lambda: not other.alive, 5 * patience, "the port is free")
    assert lb1.command("upgrade")[0] == 0
    assert lb1.status_json()["version"] == "0.1.9"
    wait_until(lambda: ("idle", "done") in ends(load), 20 * patience, "connections end well")
    probe.wait_ok()
    probe.stop()
    check_unharmed(probe, patience)
    assert {how for _, how in ends(load)} == {"done"}
    assert entered(lb1, lb2) == transitions
    say(f"gave back, and then went: {said}")


def test_the_new_one_dies(lab, binary, pair_of, patience, fast, say):
    """One that is fine when it is tried, and ends when it is executed: the peer is handed everything."""
    lb1, _ = pair_of(fast())
    probe = lab.probe()
    probe.wait_ok()
    binary.install(binary.with_text(b"TANDEM_ESTATE\0", b"TANDEM_XSTATE\0"))
    subprocess.run([lab.binary, "-R", lb1.run_directory, "upgrade"], timeout=120, check=False)
    lab.watch.wait_holders(lab.vip, ["lb2"], 10 * patience)
    probe.wait_ok()
    probe.stop()
    wait_until(lambda: lab.network.inhabitants("lb1") == [], 10 * patience, "nothing is left")
    say(f"the new guardian ended at once: outage {probe.outage_ms():.0f} ms")
    assert probe.outage_ms() <= within(500, patience)


EVERYTHING = """
global_defs {{
    vrrp_version 3
    script_user root
    vrrp_notify_fifo {at}/fifo
    vrrp_notify_fifo_script "{at}/reader {at}/lines"
}}
static_ipaddress {{
    10.0.0.61/32 dev eth1
}}
static_routes {{
    10.44.0.0/24 via 10.0.0.100 dev eth1
}}
vrrp_script asks {{
    script "{at}/asks"
    interval 1
}}
vrrp_track_file number {{
    file {at}/number
}}
"""

INSTANCE = """
virtual_routes {{
    10.41.0.0/24 via 10.0.0.100 metric 5
}}
track_script {{
    asks
}}
track_file {{
    number weight 1
}}
notify "{at}/notify"
"""


def program(path, text):
    path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
    path.chmod(0o755)


def everything(lab, fast, at):
    """A signing pair with scripts, a FIFO and its reader, routes, and addresses of its own."""
    program(at / "reader", 'exec cat "$2" >>"$1"\n')
    program(at / "asks", f"echo asked >>{at}/asked\n")
    program(at / "notify", f'echo "$3" >>{at}/notified\nsleep 2\necho over >>{at}/notified\n')
    (at / "number").write_text("7\n", encoding="utf-8")
    pair = with_hmac(lab, fast())
    lines = INSTANCE.format(at=at).strip() + "\n" + pair.instance
    return EVERYTHING.format(at=at) + dataclasses.replace(pair, version=2, instance=lines).vrrp()


def helpers(node):
    """Children that are no workers."""
    commands = {}
    for pid in descendants(node.guardian):
        with contextlib.suppress(OSError):
            commands[pid] = pathlib.Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    return {pid for pid, line in commands.items() if "reader" in line or line.startswith("cat")}


def test_everything_goes_on(lab, binary, patience, fast, tmp_path, say):
    """Scripts that run, a FIFO's reader, routes, addresses: not doubled, not lost, ended by the end."""
    text = everything(lab, fast, tmp_path)
    files = [("tandem.conf", text + config.proxy())]
    lb1, lb2 = lab.tandem("lb1", fast(), files=files), lab.tandem("lb2", with_hmac(lab, fast()))
    lab.start_pair(timeout=10 * patience)
    wait_until(lambda: helpers(lb1), 5 * patience, "the FIFO has a reader")
    notified = tmp_path / "notified"
    wait_until(lambda: "MASTER" in notified.read_text(), 10 * patience, "a script runs")
    readers, lines = helpers(lb1), (tmp_path / "lines").read_text()
    before = entered(lb1, lb2), lab.network.ip("lb1", "route", "show")
    monitor = Process("monitor", ["ip", "monitor", "route", "address"], lb1.directory / "monitor.log",
                      namespace=lab.network.namespace("lb1"))  # fmt: skip
    lab.started(monitor)
    asked = (tmp_path / "asked").read_text()
    binary.install(binary.with_text(b"HMAC\0", b"HMAX\0"))
    status, said = lb1.command("upgrade")
    assert status == 1 and "cannot take over" in said, said
    assert lb1.alive and "version 0.1.0 has taken over" in lb1.log_text(), "the former one again"
    binary.install(binary.original)
    for _ in range(2):
        status, said = lb1.command("upgrade")
        assert status == 0, said
    assert helpers(lb1) == readers and (tmp_path / "lines").read_text() == lines
    wait_until(lambda: notified.read_text().split() == ["BACKUP", "over", "MASTER", "over"],
               10 * patience, "the script that ran has ended, and no other began")  # fmt: skip
    wait_until(lambda: (tmp_path / "asked").read_text() != asked, 5 * patience, "it is asked on")
    assert (entered(lb1, lb2), lab.network.ip("lb1", "route", "show")) == before
    assert "10.44." not in monitor.output() and "10.41." not in monitor.output()
    assert "Deleted" not in monitor.output()
    tracked = lb1.status_json()["instances"][0]
    assert tracked["priority"]["effective"] == 150 + 7
    lb1.command("resign")
    lab.watch.wait_holders(lab.vip, ["lb2"], 5 * patience)
    wait_until(lambda: "BACKUP" in (tmp_path / "lines").read_text()[len(lines):], 5 * patience,
               "the reader reads on")  # fmt: skip
    assert lb1.stop() == []
    wait_until(lambda: lab.network.inhabitants("lb1") == [monitor.pid], 5 * patience, "all have ended")
    assert "10.0.0.61" not in lab.network.addresses("lb1")
    assert "10.44." not in lab.network.ip("lb1", "route", "show")
    monitor.stop(3)
    say("scripts, FIFO, routes and addresses went through two upgrades, and one that was given back")


CHECKED = """\
global
    external-check
    insecure-fork-wanted
defaults
    mode tcp
    timeout connect 1s
    timeout client 10s
    timeout server 10s
listen checked
    bind *:80
    option external-check
    external-check path "/usr/bin:/bin"
    external-check command {at}/check
    server app 10.0.0.21:80 check inter 60s fastinter 100ms downinter 100ms fall 1 rise 1
"""


def test_check_programs(lab, binary, patience, fast, tmp_path, say):
    """A reload, and an upgrade, while a check's program runs: it is ended, another one asks, and meanwhile
    the server is what it was."""
    for path in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        path.chmod(0o711)
    at = tmp_path / "programs"
    at.mkdir()
    at.chmod(0o777)
    answer, waiting = at / "answer", at / "waiting"
    wait = f"[ -e {answer} ] || echo $$ >>{waiting}\nwhile [ ! -e {answer} ]; do sleep 0.02; done\n"
    program(at / "check", f"{wait}exit $(cat {answer})\n")
    lb1 = lab.tandem("lb1", fast(), files=[("tandem.conf", CHECKED.format(at=at) + fast().vrrp())])

    def say_and_see(status, state):
        (at / "next").write_text(f"{status}\n", encoding="utf-8")
        (at / "next").rename(answer)
        wait_until(lambda: server_state() == state, 10 * patience, f"the server is {state}")

    def server_state():
        status = lb1.status_json()
        return status and status["backends"][0]["servers"][0]["state"]

    def running():
        pids = waiting.read_text().split() if waiting.exists() else []
        return [pid for pid in pids if (found := stat(int(pid))) and found[0] != "Z"]

    lb1.start()
    say_and_see(1, "DOWN")
    answer.unlink()
    for how in ("reload", "upgrade"):
        [before] = wait_until(running, 10 * patience, "a program runs")
        status, said = lb1.command(how)
        assert status == 0, said
        assert server_state() == "DOWN"
        wait_until(lambda: running() and before not in running(), 10 * patience,
                   "it has ended, and the next worker's runs")  # fmt: skip
        assert len(running()) == 1 and server_state() == "DOWN"
    say_and_see(0, "UP")
    assert lb1.stop() == [] and not running()
    say("a check's program was ended by a reload and by an upgrade, and its server stayed DOWN")


def told(manager):
    """What the service manager has been told, and by which process."""
    found = []
    while True:
        try:
            data, credentials, _, _ = manager.recvmsg(4096, socket.CMSG_SPACE(12))
        except BlockingIOError:
            return found
        pid = struct.unpack("3i", credentials[0][2])[0]
        words = data.decode().split("\n")[0]
        if words != "WATCHDOG=1":
            found.append((words, pid))


def test_service_manager(lab, binary, patience, fast, tmp_path, say):
    """Told of the reload and that it is over, whatever comes of it, by its own main process; in the
    background, with a pid file."""
    path = str(tmp_path / "manager")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.setblocking(False)
        manager.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        lb1 = lab.tandem("lb1", fast())
        lb1.environment |= {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"}
        lb1.start()
        lab.watch.wait_holders(lab.vip, ["lb1"], 10 * patience)
        assert told(manager) == [("READY=1", lb1.guardian)]
        over = [("RELOADING=1", lb1.guardian), ("READY=1", lb1.guardian)]
        binary.install(binary.of_version("0.1.9"))
        assert lb1.command("upgrade")[0] == 0
        assert told(manager) == over[:1] + over
        binary.install(crashing())
        assert lb1.command("upgrade")[0] == 1
        assert told(manager) == over
        heard = []
        manager.settimeout(60)
        while "WATCHDOG=1" not in heard:
            heard.append(manager.recv(4096).decode())
        manager.setblocking(False)
        assert lb1.stop() == []
        assert [words for words, _ in told(manager)] == ["STOPPING=1"]
    say("service manager: RELOADING=1 and READY=1, and the watchdog goes on")


def test_stopped_and_killed_meanwhile(lab, binary, pair_of, patience, fast, say):
    """The worker dies, or the daemon is told to stop, at some moment of an upgrade: one master each time."""
    lb1, _ = pair_of(fast())
    results = []
    for after_ms in (0, 4, 8, 12, 16, 20, 25, 30, 40):
        wait_until(lambda: len(lb1.pids()) == 2, 10 * patience, "guardian and one worker")
        worker = serving(lb1)
        upgrade = Process("upgrade", [lab.binary, "-R", lb1.run_directory, "upgrade"],
                          lb1.directory / "upgrade.log")  # fmt: skip
        lab.started(upgrade)
        wait_until(lambda: lb1.log_text().count("upgrading: trying") > len(results), 5 * patience, "trying")
        time.sleep(after_ms / 1000)
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda: not upgrade.alive, 60 * patience, "the command ends")
        lab.watch.wait_holders(lab.vip, ["lb1"], 15 * patience)
        wait_until(lab.ask, 5 * patience, "the service answers")
        results.append(upgrade.status)
    assert lb1.alive
    os.kill(lb1.guardian, signal.SIGUSR2)
    lb1.terminate()
    lab.watch.wait_holders(lab.vip, ["lb2"], 5 * patience)
    wait_until(lambda: not lb1.alive, 10 * patience, "it ends")
    assert lb1.status_code == 0
    say(f"worker killed during {len(results)} upgrades, {results.count(0)} of them were done; stopped in one")

"""What can befall the daemon itself: a thread that hangs, no memory, no descriptors, a log that nobody
reads, names that nobody answers, and a worker that dies again and again.  Drills as in faults.py, beyond
the fault table; Tandem's own promises, which keepalived with HAProxy does not make."""

import contextlib
import fcntl
import os
import pathlib
import signal
import socket
import time

from . import config
from .faults import LEASE_OVER_MS, Fault, burn
from .lab import PAIR, PROGRAMS, PYTHON
from .network import run
from .process import Process, fd_count, now, wait_until
from .scale import Scale
from .upkeep import Outcome, trial

HARDSHIPS, TRIALS = {}, {}
F_SETPIPE_SZ = 1031
PRESSED_S = 10


def hardship(name, title, bound_ms, **more):
    def register(strike):
        HARDSHIPS[name] = Fault("–", name, title, bound_ms, strike, **more)
        return strike

    return register


def nothing(_pair):
    """A bound for what nobody may notice."""
    return 50


# Threads


def threads(pid, name):
    """Those whose name begins so, by number."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            if (task / "comm").read_text(encoding="utf-8").startswith(name):
                found.append(int(task.name))
    return sorted(found)


@contextlib.contextmanager
def stalled(lab, pid, thread):
    """One thread stands still for the length of the block, as in a call that does not return."""
    log = f"{lab.directory}/stall-{now():.3f}.log"
    process = Process("stall", [PYTHON, PROGRAMS / "stall.py", pid, thread], log)
    lab.started(process)
    wait_until(lambda: "stands still" in process.output() or not process.alive, 5, "a thread stands still")
    if not process.alive:
        raise RuntimeError(process.output())
    try:
        yield
    finally:
        process.stop(2)


@hardship("stuck-proxy", "a proxy thread stuck in one call", lambda pair: 2000 + 250 + 100)
def _(drill):
    victim = drill.master.worker()
    with stalled(drill.lab, victim, threads(victim, "proxy")[-1]):
        drill.takes_over()
        drill.note(f"FAULT after {1000 * (now() - drill.struck):.0f} ms")
        yield
        drill.master.wait_worker(15, other_than=victim)
        drill.note(f"another worker after {now() - drill.struck:.1f} s")
    drill.returns()


@hardship("stuck-vrrp", "the VRRP thread stuck in one call", lambda pair: config.WATCHDOG_MS + 100)
def _(drill):
    victim = drill.master.worker()
    with stalled(drill.lab, victim, victim):
        drill.takes_over()
        yield
        drill.master.wait_worker(10, other_than=victim)
    drill.returns()


# The guardian


@hardship("guardian-stopped", "the guardian stopped, the worker not", lambda pair: 250)
def _(drill):
    os.kill(drill.master.guardian, signal.SIGSTOP)
    drill.takes_over()
    drill.note(f"resigned after {1000 * (now() - drill.struck):.0f} ms")
    drill.holds("lb2", within=config.LEASE_S + 1)
    gone_ms = drill.held_until() or float("inf")
    drill.note(f"address gone after {gone_ms:.0f} ms")
    drill.must_last(gone_ms, LEASE_OVER_MS, "the address stayed beyond its lease")
    yield
    os.kill(drill.master.guardian, signal.SIGCONT)
    drill.returns()


@hardship("guardian-killed", "the guardian killed, the worker not", nothing)
def _(drill):
    worker = drill.master.worker()
    os.kill(drill.master.guardian, signal.SIGKILL)
    drill.takes_over()
    drill.holds("lb2", within=config.LEASE_S + 1)
    wait_until(lambda: not os.path.exists(f"/proc/{worker}"), 10, "the worker ends too")
    yield
    drill.master.stop()
    drill.master.start()
    drill.returns()


# Leases


@trial("–", "leases", "1,000 leased addresses while CPU is burnt on both nodes", "0 expired", (300, 15),
       into=TRIALS, bare=True, seconds=True)  # fmt: skip
def _(lab, pair, seconds):
    scale = Scale("1,000 leases", 1, 1000)
    for name in PAIR:
        lab.tandem(name, pair, files=[("tandem.conf", scale.vrrp())]).start()
    wanted = set(scale.addresses())
    wait_until(lambda: wanted <= lab.network.addresses("lb1"), 30, "lb1 holds 1,000 addresses")
    struck = now()
    _, lines = burn(lab, seconds)
    gone = lab.watch.removed("lb1", struck)
    missing = wanted - lab.network.addresses("lb1")
    problems = lines + [f"{len(missing)} addresses are missing"] * bool(missing)
    return Outcome(f"{len(gone)} expired in {seconds} s", not gone and not problems, problems)


# Memory and descriptors


def data_size(pid):
    """Bytes of memory that it can write to and shares with nobody."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return 1024 * int(status.split("VmData:")[1].split()[0])


def limit(pid, which, soft=""):
    """Sets the soft limit of a worker, back to the hard one if none is given.  As the worker's user: containers
    take from root what that needs."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    uid, gid = (line.split()[1] for line in status.splitlines() if line.startswith(("Uid:", "Gid:")))
    if not soft:
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text(encoding="utf-8")
        label = {"data": "Max data size", "nofile": "Max open files"}[which]
        soft = next(line for line in limits.splitlines() if line.startswith(label)).split()[-2]
    run("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups",
        "prlimit", f"--pid={pid}", f"--{which}={soft}:")  # fmt: skip


def press(drill, count):
    """Connections that want memory; not all of them need to come to be."""
    argv = [PYTHON, PROGRAMS / "hold.py", drill.lab.vip, 80, count]
    process = Process("press", argv, f"{drill.lab.directory}/press.log",
                      namespace=drill.lab.network.namespace("client"))  # fmt: skip
    drill.lab.started(process)
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: "open " in process.output(), PRESSED_S, "connections are open", exactly=True)
    process.stop()
    return process.output().strip() or "none"


@hardship("no-memory", "no more memory for the worker", lambda pair: 1000 * PRESSED_S)
def _(drill):
    """It can only refuse, for as long as others take it all, or die; if it dies the will is executed, and the
    next one may have more."""
    victim = drill.master.worker()
    limit(victim, "data", data_size(victim))
    drill.note(f"of 8000 connections {press(drill, 8000)}")
    drill.note("the worker refused" if drill.master.worker() == victim else "the worker died")
    yield
    if drill.master.worker() == victim:
        limit(victim, "data")
    drill.returns()


@hardship("no-descriptors", "no more descriptors for the worker", lambda pair: 600, max_failed=60)
def _(drill):
    """Connections wait in the kernel's queue until there are descriptors again; VRRP does not notice."""
    victim = drill.master.worker()
    limit(victim, "nofile", fd_count(victim))
    time.sleep(0.3)  # for so long
    limit(victim, "nofile")
    yield
    drill.must(drill.master.worker() == victim, "the worker did not survive it")
    drill.holds("lb1", within=0.1)


# Logs


def chatty():
    """A line about each session, on standard output."""
    return config.proxy().replace(
        "defaults\n", "defaults\n    log stdout format raw local0\n    option tcplog\n", 1
    )


def hung_reader(lab):
    """lb1 writes into a pipe that nobody reads."""
    node = lab.nodes["lb1"]
    node.log = node.directory / "log.fifo"
    if not node.log.exists():
        os.mkfifo(node.log)
    node.unread = os.open(node.log, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(node.unread, F_SETPIPE_SZ, 4096)


def goes_on(drill):
    """Nothing of what the node does has to wait: sessions, VRRP, a reload, a fail-over."""
    drill.probe.wait_ok(in_a_row=200)
    drill.holds("lb1", within=0.1)
    worker = drill.master.worker()
    status, text = drill.master.reload()
    drill.must(status == 0, f"the reload failed: {text}")
    drill.master.wait_worker(10, other_than=worker)
    drill.probe.wait_ok()


@hardship("log-hangs", "whoever reads the log hangs", nothing, proxy=chatty, prepare=hung_reader)
def _(drill):
    goes_on(drill)
    yield
    os.close(drill.master.unread)
    drill.master.log = drill.master.directory / "nothing.log"


def small_disk(lab):
    """lb1's log is on a disk of 64 KiB."""
    node = lab.nodes["lb1"]
    disk = node.directory / "disk"
    disk.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk)
    node.log = disk / "tandem.log"


@hardship("disk-full", "the disk of the log is full", nothing, proxy=chatty, prepare=small_disk)
def _(drill):
    log = drill.master.log
    wait_until(lambda: os.statvfs(log.parent).f_bavail == 0, 20, "the disk is full")
    goes_on(drill)
    yield
    run("umount", "-l", log.parent)
    drill.master.log = drill.master.directory / "nothing.log"


def deaf_syslog(lab):
    """A syslog socket whose owner never reads."""
    node = lab.nodes["lb1"]
    node.syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    node.syslog.bind(str(node.directory / "syslog"))
    text = node.files[0].read_text(encoding="utf-8")
    node.configure([("tandem.conf", text.replace("log stdout format raw", f"log {node.directory}/syslog", 1))])


@hardship("syslog-hangs", "the syslog daemon hangs", nothing, proxy=chatty, prepare=deaf_syslog)
def _(drill):
    goes_on(drill)
    yield
    drill.master.syslog.close()


# Names


def no_answers(lab):
    """One of lb1's servers is known by name, and of its name servers none answers."""
    node = lab.nodes["lb1"]
    text = node.files[0].read_text(encoding="utf-8")
    node.configure([("tandem.conf", text.replace(f"{config.ADDRESSES['web1']}:80", "web1.example:80"))])
    etc = pathlib.Path("/etc/netns") / lab.network.namespace("lb1")
    etc.mkdir(parents=True, exist_ok=True)
    # Nobody has this address: packets to it vanish, and no error comes back.
    (etc / "resolv.conf").write_text("nameserver 10.0.0.253\n")
    (etc / "nsswitch.conf").write_text("hosts: dns\n")
    lab.network.ip("lb1", "neigh", "replace", "10.0.0.253", "lladdr", "02:00:00:00:00:fd", "dev", "eth1")


@hardship("no-names", "name servers that never answer", nothing, prepare=no_answers)
def _(drill):
    """It has become MASTER, serves with the server that it knows, and reloads without waiting."""
    begun = now()
    goes_on(drill)
    drill.note(f"a reload and 230 requests in {now() - begun:.1f} s")
    shown = {s["name"]: s for s in drill.master.status_json()["backends"][0]["servers"]}
    drill.note(f"app1 is {shown['app1']['state']}, app2 {shown['app2']['state']}")
    yield
    etc = pathlib.Path("/etc/netns") / drill.lab.network.namespace("lb1")
    for name in ("resolv.conf", "nsswitch.conf"):
        (etc / name).unlink()
    etc.rmdir()


# Crash loops


def says_why_nobody_is_there(drill):
    """Between two workers it is the guardian that answers; the pauses grow to ten seconds."""
    for _ in range(3):
        victim = drill.master.wait_worker(15)
        os.kill(victim, signal.SIGKILL)
        if "there is no worker" in drill.master.command("status")[1]:
            return True
    return False


@hardship("crash-loop", "the worker dies whenever it is MASTER", lambda pair: 50)
def _(drill):
    """After five times the node leaves the address to the other, and says why."""
    times = []
    while not (status := drill.master.status_json()) or not status["instances"][0]["probation"]:
        if "lb1" in drill.lab.watch.holders(drill.lab.vip) and (pid := drill.master.worker()):
            times.append(now())
            os.kill(pid, signal.SIGKILL)
            drill.holds("lb2", within=2)
        time.sleep(0.01)
        if now() - drill.struck > 120:
            drill.must(False, f"no probation after {len(times)} deaths")
            break
    drill.note(f"{len(times)} deaths, then on probation")
    drill.probe.wait_ok(in_a_row=500)
    drill.holds("lb2", within=0.1)
    drill.must("on probation" in drill.master.status(), "the status does not say why")
    drill.must(says_why_nobody_is_there(drill), "the status does not say that there is no worker")
    yield
    drill.must(drill.master.command("resume")[0] == 0, "resume failed")
    drill.returns()

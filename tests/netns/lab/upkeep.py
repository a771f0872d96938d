"""The rows of the fault table that are about servers and about what an administrator does: 10, 12, 13 and
15, and row 18.  Drills as in faults.py, and trials, which are not told by an outage."""

import contextlib
import dataclasses
import os
import signal
import time

from . import config
from .faults import Fault, burn
from .lab import PAIR
from .process import now, wait_until

UPKEEP = {}
TRIALS = {}
RELOADS = (100, 10)  # in the full table and in the short one
STARTS = (50, 3)
BURN_S = (600, 20)
CHECK_TIMEOUT_S = 1


def upkeep(row, name, title, bound_ms, **more):
    def register(strike):
        UPKEEP[name] = Fault(row, name, title, bound_ms, strike, **more)
        return strike

    return register


def http_checks():
    """The proxy's part with checks of HTTP: a stopped server still accepts connections."""
    text = config.proxy().replace("    balance", "    option httpchk GET /\n    balance")
    return text.replace("    retries", f"    timeout check {CHECK_TIMEOUT_S}s\n    retries")


@upkeep(
    "10",
    "webhang",
    "one web server hangs (SIGSTOP), HTTP check: how long requests fail",
    lambda pair: 1000 * ((3 + 1) * 1 + CHECK_TIMEOUT_S),
    proxy=http_checks,
    until_last=True,
)
def _(drill):
    web = drill.lab.webs["web1"]
    os.kill(web.pid, signal.SIGSTOP)
    drill.probe.wait_ok(in_a_row=400)
    drill.holds("lb1", within=0.1)
    yield
    os.kill(web.pid, signal.SIGCONT)


def reload_once(drill):
    """True if it is done, or, of keepalived and HAProxy, if they have been told."""
    if not drill.classic:
        return drill.master.reload()[0] == 0
    keepalived, haproxy = drill.master.keepalived, drill.master.haproxy
    before = haproxy.output().count("Loading success")
    keepalived.signal(signal.SIGHUP)
    for _ in range(5):  # its master does not hear a signal while it executes itself
        haproxy.signal(signal.SIGUSR2)
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: haproxy.output().count("Loading success") > before, 1, "", exactly=True)
            return True
    return False


def patient():
    """The proxy's part for connections that lie open all the time."""
    return config.proxy(idle="10m")


def entries(drill):
    return sum(node.log_text().count("Entering") for node in drill.lab.nodes.values())


@upkeep("12", "reload", "reload", lambda pair: 50, max_failed=0, open=50, repeated=RELOADS, proxy=patient)
def _(drill):
    before, times = entries(drill), drill.rounds
    done = sum(reload_once(drill) for _ in range(times))
    drill.probe.wait_ok(in_a_row=50)
    drill.note(f"{done} of {times} reloads")
    drill.must(done == times, f"{times - done} reloads failed")
    drill.must(entries(drill) == before, "a state changed")
    lost = drill.holder.output().count("lost")
    drill.note(f"{lost} of 50 open connections broke")
    drill.must(lost == 0, "connections broke")
    drill.holds("lb1", within=0.1)
    yield


BROKEN = "\nbackend more\n    balance roundrobbin\n"
BROKEN_VRRP = "\nvrrp_instance VI_1 {\n    virtual_router_id 300\n    priority many\n"


@upkeep("13", "badfile", "reload with a broken file", lambda pair: 50, max_failed=0)
def _(drill):
    node, before = drill.master, entries(drill)
    if drill.classic:
        broken = {node.configuration: BROKEN_VRRP, node.proxy_configuration: BROKEN}
    else:
        broken = {node.files[0]: BROKEN}
    good = {path: path.read_text(encoding="utf-8") for path in broken}
    pids = node.pids()
    for path, text in broken.items():
        path.write_text(good[path] + text, encoding="utf-8")
    if drill.classic:
        node.keepalived.signal(signal.SIGHUP)
        node.haproxy.signal(signal.SIGUSR2)
    else:
        status, text = node.reload()
        drill.must(status == 1 and "roundrobbin" in text, f"status {status}, said: {text}")
        drill.must(node.pids() == pids, "other processes")
    drill.probe.wait_ok(in_a_row=300)
    for path, text in good.items():
        path.write_text(text, encoding="utf-8")
    drill.note("no change of state" if entries(drill) == before else "the states changed")
    drill.must(entries(drill) == before, "a state changed")
    drill.holds("lb1", within=0.1)
    yield


# Trials


@dataclasses.dataclass(frozen=True)
class Trial:
    row: str
    name: str
    title: str
    bound: str
    pair: object  # callable: the table's Pair -> the trial's
    run: object  # callable: lab with a running pair, its Pair, rounds -> Outcome
    repeated: tuple
    bare: bool = False  # makes the nodes itself
    seconds: bool = False  # what is repeated is one second of it


@dataclasses.dataclass
class Outcome:
    figure: str
    good: bool
    problems: list = dataclasses.field(default_factory=list)


def trial(row, name, title, bound, repeated, pair=lambda pair: pair, into=TRIALS, **more):
    def register(run):
        into[name] = Trial(row, name, title, bound, pair, run, repeated, **more)
        return run

    return register


@trial("15", "start", "both nodes started at the same time", "one master each time", STARTS)
def _(lab, pair, rounds):
    """One master means that from the first taking on nobody else has taken the address for an interval."""
    single, problems = 0, []
    for _ in range(rounds):
        for node in lab.nodes.values():
            node.stop()
        lab.watch.wait_holders(lab.vip, [], config.LEASE_S + 2)
        begun = now()
        for name in PAIR:
            lab.nodes[name].start()
        wait_until(lambda: lab.watch.holders(lab.vip), pair.down_s() + 10, "a master")
        time.sleep(1.5 * pair.advert_s)  # in which a second would have shown itself
        takings = [event for event in lab.watch.events(lab.vip, begun) if event[3]]
        single += len(takings) == 1
        if len(takings) != 1:
            problems.append(f"the address was taken {len(takings)} times")
    return Outcome(f"{single} of {rounds} times", single == rounds, problems)


@trial("18", "burn", "CPU burnt on both nodes, intervals of 100 ms", "0 false fail-overs", BURN_S,
       pair=lambda pair: config.Pair(version=3, advert_s=0.1), seconds=True)  # fmt: skip
def _(lab, _pair, seconds):
    changes, lines = burn(lab, seconds)
    return Outcome(f"{len(changes)} in {seconds} s", not changes and not lines, lines)

"""The fault table as code.  Each fault is a generator: it strikes lb1, the master, sees the service
return, yields, and is healed; what follows the yield brings lb1 back."""

import dataclasses
import os
import signal
import time

from . import config
from .process import Process, now, wait_until

FAULTS = {}
GRACE_BEFORE_S = 0.3  # a launch may be older than the fault that kills it
LEASE_OVER_MS = config.LEASE_S * 1000 + 500  # by then no dead node has an address


@dataclasses.dataclass(frozen=True)
class Fault:
    row: str
    name: str
    title: str
    bound_ms: object  # callable: Pair -> ms the outage may last
    strike: object
    open: int = 0  # connections that lie open meanwhile
    max_failed: int = None  # where the table bounds requests, not time
    back_bound_ms: object = lambda pair: 50  # the same for the return
    proxy: object = None  # callable: the proxy's part of the file, where it is another one
    prepare: object = None  # callable: Lab, before the nodes are started
    until_last: bool = False  # what counts is how long requests fail at all, not how long they all do
    repeated: tuple = ()  # how often it strikes: in the full table, in the short one


@dataclasses.dataclass
class Result:
    """What one fault cost."""

    fault: Fault
    kind: str
    bound_ms: float
    back_bound_ms: float
    probes: int = 0
    failed: int = 0
    lost: int = 0  # of those, not by being late
    outage_ms: float = 0.0
    back_failed: int = 0
    back_outage_ms: float = 0.0
    recovered: bool = True  # before the fault was healed
    holder: str = ""  # while the fault lasted
    holder_at_end: str = ""
    notes: list = dataclasses.field(default_factory=list)
    problems: list = dataclasses.field(default_factory=list)

    def over(self):
        """What the table's bounds do not allow, as words."""
        figures = {
            "outage": self.outage_ms > self.bound_ms,
            "requests": self.fault.max_failed is not None and self.failed > self.fault.max_failed,
            "return": self.back_outage_ms > self.back_bound_ms,
        }
        return [word for word, broken in figures.items() if broken]

    def line(self):
        notes = "".join(f"; {note}" for note in self.notes)
        verdict = f"over: {', '.join(self.over())}" if self.over() else "within"
        return (
            f"row {self.fault.row:>3} {self.fault.title}: {self.probes} probes, {self.failed} failed, "
            f"outage {self.outage_ms:.0f} ms (bound {self.bound_ms:.0f}), then on {self.holder}; "
            f"back: {self.back_failed} failed, {self.back_outage_ms:.0f} ms, "
            f"at the end on {self.holder_at_end}: {verdict}{notes}"
        )


def fault(row, name, title, bound_ms, **more):
    def register(strike):
        FAULTS[name] = Fault(row, name, title, bound_ms, strike, **more)
        return strike

    return register


def interval(pair):
    """What two nodes that found each other again may take to agree: one interval + 100."""
    return pair.advert_s * 1000 + 100


def down(pair):
    """D + 100 of the table."""
    return pair.down_s() * 1000 + 100


class Drill:
    """One fault on one running pair, under the eye of the probe.

    limit: what may be asserted of a bound in ms; by default the bound itself."""

    def __init__(self, lab, pair, patience=1.0, limit=lambda bound_ms: bound_ms):
        self.lab, self.pair, self.limit = lab, pair, limit
        self.master, self.backup = lab.nodes["lb1"], lab.nodes["lb2"]
        self.patience = patience  # factor on every wait
        self.classic = self.master.kind != "tandem"
        self.result = self.probe = self.holder = None
        self.struck = 0.0
        self.rounds = 1

    def run(self, chosen, opened=None):
        bounds = (chosen.bound_ms(self.pair), chosen.back_bound_ms(self.pair))
        result = Result(chosen, self.master.kind, *bounds)
        self.result = result
        before = {**self.master.fds(), **self.backup.fds()}
        self.probe = self.lab.probe()
        self.probe.wait_ok(timeout=20 * self.patience)
        count = chosen.open if opened is None else opened
        self.holder = holder = self.lab.hold(count) if count else None
        if holder:
            self.probe.wait_ok()
        self.struck = now()
        try:
            steps = chosen.strike(self)
            next(steps)
            result.recovered = self.calm()
            result.holder = self.lab.watch.holder(self.lab.vip)
            healed = now()
            next(steps, None)
            self.calm()
        finally:
            if holder:
                holder.stop()
        end = now()
        self.probe.stop()
        launched = self.probe.between(self.struck - GRACE_BEFORE_S, healed)
        result.probes = len(launched)
        result.failed = sum(1 for entry in launched if not entry[1])
        result.lost = len(self.probe.lost(self.struck - GRACE_BEFORE_S, healed))
        result.outage_ms = self._outage_ms(chosen, healed)
        result.back_failed = len(self.probe.failed(healed, end))
        result.back_outage_ms = self.probe.outage_ms(healed, end)
        if lost := self.probe.words(self.struck - GRACE_BEFORE_S):
            self.note(f"failures: {lost}")
        result.holder_at_end = self.lab.watch.holder(self.lab.vip)
        self._compare_fds(before)
        return result

    def _outage_ms(self, chosen, healed):
        since = self.struck - GRACE_BEFORE_S
        if not chosen.until_last:
            return self.probe.outage_ms(since, healed)
        return 1000 * max((entry[0] - self.struck for entry in self.probe.failed(since, healed)), default=0)

    def _compare_fds(self, before):
        """Descriptors may be fewer but not more than before, once the last sessions have ended."""

        def grown():
            after = {**self.master.fds(), **self.backup.fds()}
            return [
                f"pid {pid}: {before[pid]} descriptors before, {count} after"
                for pid, count in after.items()
                if pid in before and count and before[pid] and count > before[pid] + 4
            ]

        try:
            # A session whose address went away in mid-request ends by its time-out, 10 s.
            wait_until(lambda: not grown(), 12, "descriptors are as before")
        except TimeoutError:
            self.result.problems += grown()

    # What a fault is written with

    def calm(self):
        """Waits until the service is back; whether it came back."""
        try:
            self.probe.wait_ok(timeout=8 if self.classic else 20 * self.patience, exactly=self.classic)
            return True
        except TimeoutError as error:
            self._missed(str(error))
            return False

    def holds(self, *nodes, within):
        """Waits until exactly these nodes hold the address."""
        try:
            self.lab.watch.wait_holders(self.lab.vip, nodes, within * self.patience, self.classic)
        except TimeoutError as error:
            self._missed(str(error))

    def takes_over(self, within=None):
        """The backup holds the address, whatever the old master does."""
        within = within or self.pair.down_s() + 2
        try:
            wait_until(
                lambda: "lb2" in self.lab.watch.holders(self.lab.vip),
                within * self.patience,
                "lb2 takes over",
                self.classic,
            )
        except TimeoutError as error:
            self._missed(str(error))

    def returns(self):
        """lb1, preferred by priority, has the address alone again."""
        self.holds("lb1", within=2 * self.pair.down_s() + 8)

    def _missed(self, what):
        """The table's old pair is only measured; for Tandem it is a failure."""
        if self.classic:
            self.result.notes.append(what)
        else:
            self.result.problems.append(what)

    def note(self, text):
        self.result.notes.append(text)

    def must(self, condition, text):
        if not condition and not self.classic:
            self.result.problems.append(text)

    def must_last(self, ms, bound_ms, text):
        """No longer than the bound, as far as that may be asserted."""
        self.must(ms <= self.limit(bound_ms), f"{text}: {ms:.0f} ms, bound {bound_ms:.0f}")

    def held_until(self, node="lb1"):
        """When the node let go of the address after the strike, in ms; None if it did not."""
        for time_, who, _, added in self.lab.watch.events(self.lab.vip, self.struck):
            if who == node and not added:
                return (time_ - self.struck) * 1000
        return None

    def overlap_ms(self):
        return self.lab.watch.overlap(self.lab.vip, "lb1", "lb2", self.struck) * 1000


@fault("1", "term", "SIGTERM to the daemon", lambda pair: 50)
def _(drill):
    drill.master.terminate()
    drill.holds("lb2", within=drill.pair.down_s() + 2)
    drill.note(f"both held it for {drill.overlap_ms():.0f} ms")
    yield
    drill.master.start()
    drill.returns()


def _kill_worker(drill, number):
    victim = drill.master.worker()
    os.kill(victim, number)
    drill.takes_over()
    yield
    drill.master.wait_worker(other_than=victim)
    drill.returns()


@fault("2", "kill", "SIGKILL to the worker", lambda pair: 50, open=2000)
def _(drill):
    yield from _kill_worker(drill, signal.SIGKILL)


@fault("2", "segv", "SIGSEGV in the worker", lambda pair: 50, open=2000)
def _(drill):
    yield from _kill_worker(drill, signal.SIGSEGV)


@fault("3", "killall", "SIGKILL to every process of the daemon", down)
def _(drill):
    drill.master.kill_all()
    drill.takes_over()
    if not drill.classic:
        drill.holds("lb2", within=config.LEASE_S + 1)
        gone_ms = drill.held_until() or float("inf")
        drill.note(f"address gone from the dead node after {gone_ms:.0f} ms")
        drill.must_last(gone_ms, LEASE_OVER_MS, "the dead node kept the address beyond its lease")
    yield
    drill.master.stop()
    drill.master.start()
    drill.returns()


@fault("4", "proxy", "the proxy killed", lambda pair: 50)
def _(drill):
    if not drill.classic:
        yield from _kill_worker(drill, signal.SIGKILL)
        return
    os.kill(drill.master.balancer(), signal.SIGKILL)
    drill.master.haproxy.wait_gone(2)  # its master ends with it; a zombie would still pass the check
    drill.takes_over(within=15)
    yield
    drill.master.stop()
    drill.master.start()
    drill.returns()


@fault("5", "hang", "SIGSTOP to the worker", lambda pair: config.WATCHDOG_MS + 100)
def _(drill):
    victim = drill.master.balancer() if drill.classic else drill.master.worker()
    os.kill(victim, signal.SIGSTOP)
    drill.takes_over(within=10)
    yield
    if drill.classic:
        os.kill(victim, signal.SIGCONT)
    else:
        drill.master.wait_worker(other_than=victim)
    drill.returns()


@fault(
    "6",
    "noway",
    "only the master loses its way to all web servers",
    lambda pair: (3 + 1) * 1000 + pair.skew_s(pair.priority[1]) * 1000 + 100,
)
def _(drill):
    drill.lab.network.lose_way("lb1", [config.ADDRESSES[web] for web in config.WEBS])
    drill.takes_over(within=10)
    yield
    drill.lab.network.find_way()
    drill.returns()


def _link(drill, switch):
    switch("lb1", False)
    drill.takes_over()
    yield
    back = now()
    switch("lb1", True)
    drill.returns()
    both_ms = drill.lab.watch.overlap(drill.lab.vip, "lb1", "lb2", back) * 1000
    drill.note(f"both held it for {both_ms:.0f} ms after the return")
    drill.must_last(both_ms, drill.pair.advert_s * 1000 + 200, "two masters for more than an interval")


@fault("7", "link", "link down on the master", down)
def _(drill):
    yield from _link(drill, drill.lab.network.link)


@fault("7c", "carrier", "carrier lost on the master", down)
def _(drill):
    yield from _link(drill, drill.lab.network.carrier)


@fault("8", "port", "switch port cut, carrier stays", down, back_bound_ms=interval)
def _(drill):
    drill.lab.network.port("lb1", False)
    drill.takes_over()
    yield
    healed = now()
    drill.lab.network.port("lb1", True)
    wait_until(lambda: len(drill.lab.watch.holders(drill.lab.vip)) == 1, 10, "one master")
    one_ms = (now() - healed) * 1000
    drill.note(f"one holder {one_ms:.0f} ms after healing")
    drill.must_last(
        one_ms, drill.pair.advert_s * 1000 + 200, "two masters for more than an interval after healing"
    )
    drill.returns()


@fault("9", "web", "one web server killed", lambda pair: 50, max_failed=5)
def _(drill):
    web = drill.lab.webs["web1"]
    os.kill(web.pid, signal.SIGKILL)
    web.wait_gone(2)
    drill.probe.wait_ok(in_a_row=300)
    drill.holds("lb1", within=0.1)
    yield
    drill.lab.start_web("web1")


@fault("11", "del", "address deleted on the master", lambda pair: 50)
def _(drill):
    network = drill.lab.network
    vip, interface = drill.lab.vip, network.interfaces["lb1"]
    network.ip("lb1", "addr", "del", f"{vip}/32", "dev", interface)
    drill.probe.wait_ok(in_a_row=100)
    drill.holds("lb1", within=0.1)
    drill.must(
        not drill.lab.watch.spans(vip, "lb2")
        or drill.lab.watch.spans(vip, "lb2")[-1][1] < drill.struck,
        "the other node took the address",
    )
    yield
    drill.returns()


PAUSE_S = 5.0


@fault("14", "pause", "the whole daemon paused for 5 s", down)
def _(drill):
    capture = drill.lab.capture(f"pause-{now():.0f}", port="lb1")
    drill.struck = now()
    drill.master.pause()
    drill.takes_over()
    drill.probe.wait_ok()
    drill.note(f"both held it for {drill.overlap_ms():.0f} ms")
    drill.must_last(drill.overlap_ms(), LEASE_OVER_MS, "overlap longer than the lease")
    yield
    # How long the pause lasts is the fault itself, not a way to wait for something.
    time.sleep(max(0.0, PAUSE_S - (now() - drill.struck)))
    woken = time.time()
    drill.master.resume()
    drill.probe.wait_ok(in_a_row=100)
    drill.returns()
    capture.stop()
    first = [advert[0] for advert in capture.adverts(config.ADDRESSES["lb1"]) if advert[0] > woken]
    if first:
        drill.note(f"first word of the woken node after {(first[0] - woken) * 1000:.0f} ms")
        drill.must(
            first[0] - woken >= 2 * drill.pair.advert_s, "the woken node spoke before it stepped down"
        )


@fault(
    "16",
    "backup",
    "the backup killed, restarted, cut off",
    lambda pair: 10,
    max_failed=0,
    back_bound_ms=interval,
)
def _(drill):
    network = drill.lab.network
    drill.backup.kill_all()
    drill.probe.wait_ok(in_a_row=100)
    drill.backup.stop()
    drill.backup.start()
    drill.probe.wait_ok(in_a_row=100)
    network.port("lb2", False)
    drill.takes_over()
    drill.probe.wait_ok(in_a_row=50)
    yield
    network.port("lb2", True)
    drill.returns()


def burn(lab, seconds):
    """Row 18: more busy loops than there are CPUs, on both nodes.  Returns the changes of holder meanwhile,
    and the transitions the nodes have logged."""
    before = {name: len(node.log_text()) for name, node in lab.nodes.items()}
    loops = [
        Process(
            f"burn-{name}-{n}",
            ["sh", "-c", "while :; do :; done"],
            f"{lab.directory}/burn.log",
            namespace=lab.network.namespace(name),
        )
        for name in lab.nodes
        for n in range(2 * (os.cpu_count() or 1))
    ]
    struck = now()
    try:
        time.sleep(seconds)
    finally:
        for loop in loops:
            loop.stop(5)
    lines = [
        line
        for name, node in lab.nodes.items()
        for line in node.log_text()[before[name] :].splitlines()
        if "Entering" in line
    ]
    return lab.watch.events(lab.vip, struck), lines

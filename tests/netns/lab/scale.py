"""Many addresses and many instances: how long from SIGTERM on the master to the last address on its
peer, and what a pair costs at rest; Tandem and keepalived in the same run."""

import dataclasses
import pathlib
import socket
import struct
import threading
import time

from . import config
from .lab import PAIR
from .network import inside
from .process import Process, now, wait_until

RTMGRP_IPV4_IFADDR = 0x10
RTM_NEWADDR = 20
SO_RCVBUFFORCE = 33


@dataclasses.dataclass(frozen=True)
class Scale:
    name: str
    instances: int
    vips: int  # of each instance
    priority: tuple = (150, 100)
    bound_ms: float = 0.0  # from SIGTERM to the last address on the peer

    @property
    def skew_ms(self):
        return (256 - self.priority[1]) / 256 * 1000

    def address(self, instance, vip):
        number = instance * self.vips + vip
        return f"10.1.{number // 250}.{number % 250 + 1}"

    def addresses(self):
        return [self.address(i, v) for i in range(self.instances) for v in range(self.vips)]

    def vrrp(self):
        """One file for both nodes and both programs: version 2, unicast, PASS, as in the fault table."""
        lines = []
        for i in range(self.instances):
            lines += [
                f"vrrp_instance VI_{i + 1} {{",
                "    state BACKUP",
                "    interface eth1",
                f"    virtual_router_id {i + 1}",
                f"    @lb1 priority {self.priority[0]}",
                f"    @lb2 priority {self.priority[1]}",
                "    advert_int 1",
                f"    @lb1 unicast_src_ip {config.ADDRESSES['lb1']}",
                f"    @lb2 unicast_src_ip {config.ADDRESSES['lb2']}",
                "    unicast_peer {",
                f"        @^lb1 {config.ADDRESSES['lb1']}",
                f"        @^lb2 {config.ADDRESSES['lb2']}",
                "    }",
                "    authentication {",
                "        auth_type PASS",
                "        auth_pass secret",
                "    }",
            ]
            advertised = [self.address(i, v) for v in range(min(self.vips, 20))]
            more = [self.address(i, v) for v in range(len(advertised), self.vips)]
            lines += ["    virtual_ipaddress {", *(f"        {a}" for a in advertised), "    }"]
            if more:
                lines += ["    virtual_ipaddress_excluded {", *(f"        {a}" for a in more), "    }"]
            lines.append("}")
        return "\n".join(lines) + "\n"


SCALES = {
    "instances": Scale("250 instances, 1 address each", 250, 1, bound_ms=250),
    "addresses": Scale("1 instance, 1000 addresses", 1, 1000, bound_ms=100),
}


class Tally:
    """Counts the scale's addresses on a node as the kernel adds them; the last one's time is taken
    in the thread that reads."""

    def __init__(self, network, node, wanted):
        self.wanted = {socket.inet_aton(address) for address in wanted}
        self.held = set()
        self.first = self.full = None
        with inside(network.namespace(node)):
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
        self._socket.bind((0, RTMGRP_IPV4_IFADDR))
        self._socket.settimeout(0.2)
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        self._stop = True
        self._thread.join()
        self._socket.close()

    def reset(self):
        self.held = set()
        self.first = self.full = None

    def _run(self):
        while not self._stop:
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                continue
            self._note(data, now())

    def _note(self, data, at):
        while len(data) >= 24:
            length, kind = struct.unpack_from("=IH", data)
            # IFA_ADDRESS comes first.
            if kind == RTM_NEWADDR and data[28:32] in self.wanted:
                self.first = self.first or at
                self.held.add(bytes(data[28:32]))
                if len(self.held) == len(self.wanted):
                    self.full = self.full or at
            data = data[(length + 3) & ~3 :]


def cpu_s(pids):
    """Seconds of CPU the kernel has booked on these processes."""
    total = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text(encoding="ascii").split()[0])
    return total / 1e9


@dataclasses.dataclass
class Outcome:
    kind: str
    moved_ms: list = dataclasses.field(default_factory=list)
    spread_ms: list = dataclasses.field(default_factory=list)
    master_cpu: float = 0.0  # share of a core at rest
    backup_cpu: float = 0.0
    raw_sockets: int = 0

    def median(self):
        return sorted(self.moved_ms)[len(self.moved_ms) // 2]


def node_of(lab, kind, name, scale):
    pair = config.Pair()
    if kind == "tandem":
        return lab.tandem(name, pair, files=[("tandem.conf", scale.vrrp())])
    lab.vip = scale.address(0, 0)
    node = lab.classic(name, pair, proxy="")
    node.details = ()  # with thousands of lines it would be the log that is measured
    node.configuration.write_text(scale.vrrp(), encoding="utf-8")
    return node


def held_by(lab, name, scale):
    """How many of the scale's addresses the node has."""
    return len(lab.network.addresses(name) & set(scale.addresses()))


def measure(lab, kind, scale, rounds=3, rest_s=5.0, patience=1.0):
    """One pair of a kind: at rest, then SIGTERM on lb1 and back, `rounds` times."""
    outcome = Outcome(kind)
    if lab.watch:  # its thread would compete with the one that takes the times
        lab.watch.close()
        lab.watch = None
    tallies = {name: Tally(lab.network, name, scale.addresses()) for name in PAIR}
    nodes = {name: node_of(lab, kind, name, scale) for name in PAIR}
    try:
        for name in PAIR:
            nodes[name].start()
        wait_until(lambda: tallies["lb1"].full, 30 * patience, "lb1 holds everything")
        outcome.raw_sockets = len(lab.network.exec("lb1", "ss", "-Hwan").splitlines())
        if rest_s:
            time.sleep(7)  # the second round of announcements comes after 5 s
            before = [cpu_s(nodes[name].pids()) for name in PAIR]
            began = now()
            time.sleep(rest_s)
            lasted = now() - began
            after = [cpu_s(nodes[name].pids()) for name in PAIR]
            outcome.master_cpu, outcome.backup_cpu = (
                (a - b) / lasted for a, b in zip(after, before)
            )
        for _ in range(rounds):
            tallies["lb2"].reset()
            struck = now()
            nodes["lb1"].terminate()
            wait_until(
                lambda: tallies["lb2"].full,
                15 * patience,
                lambda: f"lb2 holds everything (it holds {len(tallies['lb2'].held)})",
            )
            outcome.moved_ms.append((tallies["lb2"].full - struck) * 1000)
            outcome.spread_ms.append((tallies["lb2"].full - tallies["lb2"].first) * 1000)
            wait_until(lambda: not nodes["lb1"].alive, 10 * patience, "lb1 has ended")
            tallies["lb1"].reset()
            nodes["lb1"].start()
            wait_until(lambda: tallies["lb1"].full, 30 * patience, "lb1 holds everything again")
            # A preempted master may still be letting go.
            wait_until(
                lambda: not held_by(lab, "lb2", scale), 15 * patience, "lb2 holds nothing any more"
            )
    finally:
        for name in reversed(PAIR):
            nodes[name].stop()
        for tally in tallies.values():
            tally.close()
        for name in PAIR:
            lab.network.ip(name, "addr", "flush", "to", "10.1.0.0/16")
        lab.nodes = {}
    return outcome


def broken_bounds(scale, ours, theirs):
    """What does not hold, as sentences."""
    bare_ms = theirs.median() - scale.skew_ms
    bounds = [
        (ours.median() <= scale.bound_ms, f"slower than {scale.bound_ms:.0f} ms"),
        # Tandem's lone backup has no skew to take out.
        (ours.median() <= bare_ms, f"slower than keepalived without its skew, {bare_ms:.0f} ms"),
        (ours.master_cpu <= theirs.master_cpu + 0.01, "the master at rest needs more than 1 % of a core more"),
        (ours.backup_cpu <= theirs.backup_cpu + 0.01, "the backup at rest needs more than 1 % of a core more"),
    ]
    return [text for kept, text in bounds if not kept]


def line(scale, ours, theirs=None):
    """The figures as one line."""
    text = (
        f"{scale.name}: tandem {ours.median():.0f} ms ({', '.join(f'{x:.0f}' for x in ours.moved_ms)}; "
        f"first to last {max(ours.spread_ms):.0f}), bound {scale.bound_ms:.0f}"
    )
    if theirs:
        text += (
            f"; keepalived {theirs.median():.0f} ms ({', '.join(f'{x:.0f}' for x in theirs.moved_ms)}; "
            f"first to last {max(theirs.spread_ms):.0f}), without skew "
            f"{theirs.median() - scale.skew_ms:.0f} ms: "
            f"{theirs.median() / ours.median():.1f} and "
            f"{(theirs.median() - scale.skew_ms) / ours.median():.1f} times as long"
        )
    if ours.master_cpu:
        text += f"; at rest master {ours.master_cpu:.1%}, backup {ours.backup_cpu:.1%} of a core"
    if theirs:
        text += f", keepalived {theirs.master_cpu:.1%} and {theirs.backup_cpu:.1%}"
    return text

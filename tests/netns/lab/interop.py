"""The interop matrix: Tandem beside each other program, on each transport both know, in both roles.

Each cell is one pair that lives through the same story: election, SIGTERM of the master and its return,
SIGKILL and return, its port cut and healed.  What counts is read from the wire: who advertised when, and
whether every packet of Tandem's is as it should be."""

import dataclasses
import time

from .config import VIP6, Pair
from .frr import Frr
from .process import wait_until

V2 = Pair(unicast=False, password="")
V3 = Pair(version=3, advert_s=0.2, unicast=False)
TRANSPORTS = {
    "v2-multicast": V2,
    "v2-unicast": dataclasses.replace(V2, unicast=True),
    "v2-pass-multicast": Pair(unicast=False),
    "v2-pass-unicast": Pair(),
    "v3-multicast": V3,
    "v3-unicast": dataclasses.replace(V3, unicast=True),
    "v3-ipv6-multicast": dataclasses.replace(V3, vip=VIP6),
    "v3-ipv6-unicast": dataclasses.replace(V3, vip=VIP6, unicast=True),
}
PEERS = {
    "keepalived": list(TRANSPORTS),
    "frr": ["v2-multicast", "v3-multicast", "v3-ipv6-multicast"],
}
STRIKES = ("SIGTERM", "SIGKILL", "cut")


@dataclasses.dataclass(frozen=True)
class Cell:
    transport: str
    master: str  # the programs: "tandem" and one of PEERS
    backup: str

    @property
    def name(self):
        return f"{self.transport}/{self.master}-{self.backup}"

    @property
    def pair(self):
        return TRANSPORTS[self.transport]


def cells():
    return [
        cell
        for peer, transports in PEERS.items()
        for transport in transports
        for cell in (Cell(transport, "tandem", peer), Cell(transport, peer, "tandem"))
    ]


@dataclasses.dataclass
class Result:
    cell: Cell
    elected_ms: float = 0.0
    away_ms: dict = dataclasses.field(default_factory=dict)  # strike -> until lb2 advertised
    back_ms: dict = dataclasses.field(default_factory=dict)  # strike -> until lb1 did so again
    adverts: int = 0
    intervals: int = 0
    worst_percent: float = 0.0  # of the intervals between Tandem's advertisements, in quiet times
    announced: list = dataclasses.field(default_factory=list)  # frames with each of its take-overs
    problems: list = dataclasses.field(default_factory=list)

    def columns(self):
        """What is shown of it, in the order of HEAD."""
        moves = [f"{self.away_ms[s]:.0f} / {self.back_ms[s]:.0f}" for s in STRIKES if s in self.back_ms]
        return [
            self.cell.transport,
            self.cell.master,
            self.cell.backup,
            f"{self.elected_ms:.0f}",
            *(moves + ["–"] * (len(STRIKES) - len(moves))),
            f"{self.worst_percent:.1f} % of {self.intervals}",
            "/".join(map(str, self.announced)),
            "passed" if not self.problems else "FAILED",
        ]


HEAD = ["transport", "master", "backup", "elected, ms"]
HEAD += [f"{strike}: away / back, ms" for strike in STRIKES]
HEAD += ["worst interval", "announcements", ""]


def table(results, markdown=False):
    rows = [HEAD] + [result.columns() for result in results]
    if markdown:
        rows.insert(1, ["---"] * len(HEAD))
        return "\n".join("| " + " | ".join(row) + " |" for row in rows)
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    return "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(row, widths)).rstrip() for row in rows
    )


class Story:
    """One cell, lived through on a lab that is up and has no nodes yet.

    limit: what may be asserted of a bound in ms; by default the bound itself."""

    def __init__(self, lab, cell, patience=1.0, limit=lambda bound_ms: bound_ms):
        self.lab, self.cell, self.patience, self.limit = lab, cell, patience, limit
        self.pair = cell.pair
        self.result = Result(cell)
        self.quiet = []  # (node that is master, since, until): nothing happens in between
        self.moves = []  # (strike, when it was struck, when healed)
        self.network = lab.network

    # Who is master

    def program(self, name):
        return self.cell.master if name == "lb1" else self.cell.backup

    def _make(self, name):
        program = self.program(name)
        if program == "tandem":
            self.lab.tandem(name, self.pair, proxy="")
        elif program == "keepalived":
            self.lab.classic(name, self.pair, proxy="")
        else:
            self.lab.vip = self.pair.vip_address
            self.lab.nodes[name] = Frr(self.lab, name, self.pair)

    def _holds(self, name):
        node = self.lab.nodes[name]
        if isinstance(node, Frr):
            return node.is_master()
        return name in self.lab.watch.holders(self.pair.vip_address)

    def _wait_holders(self, *names):
        wait_until(
            lambda: [name for name in ("lb1", "lb2") if self._holds(name)] == list(names),
            (self.pair.down_s() + 8) * self.patience,
            f"{self.cell.name}: {'+'.join(names)} is master",
        )

    def _rest(self, master):
        """A while in which nothing must change: its intervals are judged."""
        time.sleep(self.pair.advert_s)  # what follows the change is over
        since = time.time()
        time.sleep(5 * self.pair.advert_s)
        self.quiet.append((master, since, time.time()))
        # FRR announces itself once, over IPv6 before the old master has heard of it, and not at all
        # when it has won after a split: it expects that every node has the virtual MAC.
        if self.program(master) == "frr":
            self._forget_neighbours()
        wait_until(self._client_reaches, 5 * self.patience, f"{self.cell.name}: the client reaches {master}")

    def _forget_neighbours(self):
        """Where no program tells the client of a change, it finds out when its cache expires."""
        self.network.ip("client", "neigh", "flush", "dev", self.network.interfaces["client"])

    def _client_reaches(self):
        six = ["-6"] if ":" in self.pair.vip else []
        argv = ["ping", *six, "-n", "-c", "1", "-W", "1", self.pair.vip_address]
        return "1 received" in self.network.exec("client", *argv, check=False)

    # What happens

    def _strike(self, strike, master):
        if strike == "SIGTERM":
            master.terminate()
        elif strike == "SIGKILL":
            master.kill_all()
        else:
            self.network.port("lb1", False)

    def _heal(self, strike, master):
        if strike == "cut":
            self.network.port("lb1", True)
        else:
            master.stop()  # also clears the address that a killed keepalived leaves behind
            self._wait_holders("lb2")
            master.start()

    def _away_and_back(self, strike):
        master = self.lab.nodes["lb1"]
        struck = time.time()
        self._strike(strike, master)
        wait_until(lambda: self._holds("lb2"), (self.pair.down_s() + 4) * self.patience,
                   f"{self.cell.name}: lb2 takes over after {strike}")  # fmt: skip
        self._rest("lb2") if strike != "cut" else time.sleep(2 * self.pair.advert_s)
        healed = time.time()
        self._heal(strike, master)
        self._wait_holders("lb1")
        self.moves.append((strike, struck, healed))
        # A loser that is not Tandem steps down without a word: the winner may never have heard that
        # there was another master, and has no reason to announce itself again.
        if strike == "cut" and self.cell.backup != "tandem":
            self._forget_neighbours()
        self._rest("lb1")

    def live(self, strikes=STRIKES):
        for name in ("lb1", "lb2"):
            self._make(name)
        capture = self.lab.capture(self.cell.name.replace("/", "-"))
        began = time.time()
        try:
            for node in self.lab.nodes.values():
                node.start()
            self._wait_holders("lb1")
            self._rest("lb1")
            for strike in strikes:
                self._away_and_back(strike)
        except TimeoutError as error:
            self.result.problems.append(str(error))
        ended = time.time()
        capture.stop()
        self.result.problems += self.lab.stop_pair()
        if not self.result.problems:
            Judge(self, capture, began, ended).judge()
        return self.result


class Judge:
    """Reads what was captured."""

    def __init__(self, story, capture, began, ended):
        self.story, self.result, self.pair = story, story.result, story.pair
        self.capture, self.began, self.ended = capture, began, ended
        self.limit = story.limit
        self.tandem = "lb1" if story.cell.master == "tandem" else "lb2"
        self.macs = {name: story.network.mac(name) for name in ("lb1", "lb2")}
        self.adverts = {name: self._adverts(name) for name in ("lb1", "lb2")}

    def _adverts(self, name):
        """(time, destination, priority) of what a node sent: FRR does so from the virtual MAC."""
        mac = self.macs[name]
        source = f"eth.src == {mac}"
        if self.story.program(name) == "frr":
            source = "eth.src[0:4] == 00:00:5e:00"
        fields = ("frame.time_epoch", "ip.dst", "ipv6.dst", "vrrp.prio")
        found = self.capture.packets(f"vrrp && {source}", *fields)
        return [(float(at), four or six, int(priority)) for at, four, six, priority in found]

    def _problem(self, text):
        self.result.problems.append(f"{self.story.cell.name}: {text}")

    def judge(self):
        self.result.adverts = len(self.adverts[self.tandem])
        self._times()
        self._packets()
        self._intervals()
        self._resignations()
        self._announcements()

    def _first(self, name, since):
        """When the node first advertised as master after that."""
        return next((at for at, _, priority in self.adverts[name] if at >= since and priority), None)

    def _times(self):
        self.result.elected_ms = 1000 * ((self._first("lb1", self.began) or self.ended) - self.began)
        for strike, struck, healed in self.story.moves:
            taken = self._first("lb2", struck)
            if taken is None:
                self._problem(f"lb2 never advertised after {strike}")
                continue
            self.result.away_ms[strike] = 1000 * (taken - struck)
            if strike == "cut":  # lb1 never ceased: what counts is when lb2 did
                last = max(at for at, _, _ in self.adverts["lb2"] if at < self._until(struck))
                self.result.back_ms[strike] = 1000 * max(0.0, last - healed)
            else:
                self.result.back_ms[strike] = 1000 * (self._first("lb1", healed) - healed)
            silence = taken - max(at for at, _, _ in self.adverts["lb1"] if at < taken)
            if self.tandem == "lb2" and 1000 * silence > self.limit(1000 * self.pair.down_s() + 100):
                self._problem(f"{strike}: lb2 took over after {1000 * silence:.0f} ms of silence")

    def _until(self, struck):
        """The next move after that one, or the end."""
        later = [other for _, other, _ in self.story.moves if other > struck]
        return min(later + [self.ended])

    def _packets(self):
        for fault in self.capture.faults():
            self._problem(f"tshark finds fault with {fault}")
        for fault in self.capture.announcement_faults(self.macs[self.tandem]):
            self._problem(f"an announcement with wrong flags: {fault}")
        group = "ff02::12" if ":" in self.pair.vip else "224.0.0.18"
        peer = self.pair.addresses["lb2" if self.tandem == "lb1" else "lb1"]
        ends = {to for _, to, _ in self.adverts[self.tandem]}
        if ends - {peer if self.pair.unicast else group}:
            self._problem(f"advertisements to {ends}")

    def _intervals(self):
        wanted = self.pair.advert_s
        worst, n, wrong = 0.0, 0, 0
        for master, since, until in self.story.quiet:
            if master != self.tandem:
                continue
            times = [at for at, _, _ in self.adverts[master] if since <= at <= until]
            for one, other in zip(times, times[1:]):
                off = abs(other - one - wanted) / wanted
                late = 1000 * off * wanted > self.limit(0.1 * 1000 * wanted)
                worst, n, wrong = max(worst, off), n + 1, wrong + late
        self.result.worst_percent, self.result.intervals = 100 * worst, n
        if wrong > 1 + n * 0.02:  # a busy machine may delay one
            self._problem(f"{wrong} of {n} intervals are off by more than 10 %")

    def _resignations(self):
        """One priority 0 to each destination when Tandem is asked to end as master, and no other."""
        found = [at for at, _, priority in self.adverts[self.tandem] if priority == 0 and at < self.ended]
        asked = [struck for strike, struck, _ in self.story.moves if strike == "SIGTERM"]
        wanted = len(asked) if self.tandem == "lb1" else 0
        if len(found) != wanted:
            self._problem(f"{len(found)} advertisements with priority 0 instead of {wanted}")

    def _take_overs(self):
        """When Tandem became master: at the beginning and with each return, unless it had only been cut
        off, or with each strike."""
        if self.tandem == "lb1":
            since = [self.began] + [healed for strike, _, healed in self.story.moves if strike != "cut"]
        else:
            since = [struck for _, struck, _ in self.story.moves]
        return [at for at in (self._first(self.tandem, moment) for moment in since) if at]

    def _announcements(self):
        """At least garp_master_repeat frames at each take-over, all of them from its interface."""
        mac = self.macs[self.tandem]
        frames = [at for at, source in self.capture.announcements(self.pair.vip_address) if source == mac]
        for taken in self._take_overs():
            near = [at for at in frames if -100 <= 1000 * (at - taken) <= self.limit(200)]
            self.result.announced.append(len(near))
            if len(near) < 5:
                self._problem(f"{len(near)} announcements at a take-over")


def run_cell(lab, cell, patience=1.0, strikes=STRIKES, **more):
    return Story(lab, cell, patience, **more).live(strikes)

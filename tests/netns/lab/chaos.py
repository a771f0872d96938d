"""Random faults, one or two at a time, on a pair under load; after each everything must be as it was.

The seed decides on every fault (lab/disturb.py), its node and its moment.  Round N of a seed is the same
whatever came before it, so that a failure can be had again.  The wall clock does not jump here: it
belongs to the whole machine.
"""

import dataclasses
import random
import time

from . import config
from .disturb import CHECK_S, FALL, KINDS, Kind
from .faults import down
from .lab import PAIR, PROGRAMS, PYTHON
from .process import Process, fd_count, now

IDLE, LONG = 20, 4  # connections that last
RESTART_MS = 1500  # from the start of the daemon to its first election
SETTLE_S = 30.0


def checked_proxy():
    """The proxy's part with checks of HTTP (a server that hangs accepts connections) and short time-outs."""
    text = config.proxy(f"check inter {CHECK_S * 1000:.0f} fall {FALL} rise 2")
    text = text.replace("timeout client 10s", "timeout client 5s")
    text = text.replace("timeout server 10s", "timeout server 5s\n    timeout check 300ms")
    return text.replace("    balance", "    option httpchk\n    balance")


EXTRAS = ("hmac", "vmac", "group")


def written(pair, extras=()):
    """What both nodes run on.  extras: signed advertisements, a virtual MAC, a second instance of both
    families' addresses in a sync group with the first."""
    lines = []
    if "hmac" in extras:
        lines.append("auth_hmac {\n    key 1 hex:" + "5a" * 32 + "\n}")
        pair = dataclasses.replace(pair, password="")
    if "vmac" in extras:
        lines.append("use_vmac")
    first = dataclasses.replace(pair, instance="\n".join(lines)).vrrp()
    if "group" not in extras:
        return first + "\n" + checked_proxy()
    second = "vrrp_instance VI_2" + first.partition("vrrp_instance VI_1")[2]
    second = second.replace(f"router_id {pair.router_id}", f"router_id {pair.router_id + 1}")
    second = second.replace(pair.vip, "10.0.0.13/32")
    excluded = "    virtual_ipaddress_excluded {\n        fd00::13/128\n    }\n"
    second = second.rpartition("}")[0] + excluded + "}\n"
    group = "vrrp_sync_group G {\n    group {\n        VI_1\n        VI_2\n    }\n}\n"
    return "\n".join((first, second, group, checked_proxy()))


# The schedule


@dataclasses.dataclass(frozen=True)
class Strike:
    kind: Kind
    where: str

    def __str__(self):
        return f"{self.kind.name} {self.where}"


@dataclasses.dataclass(frozen=True)
class Round:
    """What the seed says about one round."""

    number: int
    strikes: tuple
    gap_s: float  # between the two
    early: bool  # healed before anybody has seen the service return
    hold_s: float
    reverse: bool  # the first is healed first

    def __str__(self):
        text = f"{self.strikes[0]}"
        if len(self.strikes) > 1:
            text += f" + {self.strikes[1]} after {self.gap_s * 1000:.1f} ms"
        healed = "healed at once" if self.early else f"healed {self.hold_s:.2f} s after it is calm"
        return f"round {self.number}: {text}, {healed}{', the first first' if self.reverse else ''}"

    @classmethod
    def of(cls, seed, number):
        dice = random.Random(f"{seed}/{number}")

        def strike():
            chosen = dice.choice(list(KINDS.values()))
            # Most of what can happen to a pair happens to its master.
            where = dice.choice(config.WEBS) if chosen.web else dice.choice(("lb1", "lb1", "lb2"))
            return Strike(chosen, where)

        strikes = [strike()]
        if dice.random() < 0.5:
            second = strike()
            if (second.where, second.kind.name) != (strikes[0].where, strikes[0].kind.name):
                strikes.append(second)
        # As often within a millisecond as within a tenth of a second: a reload takes a few.
        gap_s = 10 ** dice.uniform(-3.5, -0.3)
        early, hold_s = dice.random() < 0.3, dice.uniform(0, 1.5)
        return cls(number, tuple(strikes), gap_s, early, hold_s, dice.random() < 0.5)

    # What it may cost

    @property
    def nodes_out(self):
        return {s.where for s in self.strikes if s.kind.out}

    @property
    def hopeless(self):
        """Nobody can serve before it is healed."""
        webs = {s.where for s in self.strikes if s.kind.web}
        noway = {s.where for s in self.strikes if s.kind.name == "noway"}
        return len(self.nodes_out) == 2 or len(webs) == 2 or len(webs | noway) > 1

    @property
    def quiet(self):
        return all(s.kind.quiet or (s.where == "lb2" and not s.kind.parts) for s in self.strikes)

    def bound_ms(self, pair):
        """Until the service is back, and the same for the way back."""
        pair_of = len(self.strikes) > 1
        away = sum(s.kind.bound_ms(pair) if s.where != "lb2" else 10 for s in self.strikes)
        back = sum(s.kind.back_ms(pair) for s in self.strikes)
        if pair_of or self.early:
            away, back = away + down(pair) + RESTART_MS, back + down(pair) + RESTART_MS
        return away, back


# The runner


class Broken(Exception):
    """An invariant is."""


class Chaos:
    """One run on one pair, which is up and whose master is lb1."""

    def __init__(self, lab, pair, seed, patience=1.0, say=print):
        self.lab, self.pair, self.seed, self.patience, self.say = lab, pair, seed, patience, say
        self.good = lab.nodes["lb1"].files[0].read_text(encoding="utf-8")
        self.past, self.late = [], []
        self.worst_ms = self.rounds = self.probes = self.failed = 0
        self.settled = now()  # connections begun since then have reason to last
        log = f"{lab.directory}/lasting.log"
        argv = [PYTHON, PROGRAMS / "lasting.py", lab.vip, 80, IDLE, LONG]
        self._lasting = Process("lasting", argv, log, namespace=lab.network.namespace("client"))
        lab.started(self._lasting)
        self.probe = lab.probe()
        self.probe.wait_ok(in_a_row=200, timeout=20 * patience)
        self.before = {name: self.footprint(name) for name in PAIR}

    # What the faults are written with

    def broken(self, what):
        raise Broken(what)

    def eventually(self, predicate, what, timeout=SETTLE_S):
        end = now() + timeout * self.patience
        while not (value := predicate()):
            if now() > end:
                self.broken(f"not within {timeout:g} s: {what() if callable(what) else what}")
            time.sleep(0.03)
        return value

    def attempt(self, what, *args):
        """Of the network: what another fault has taken away is no error."""
        try:
            getattr(self.lab.network, what)(*args)
        except RuntimeError:
            pass

    def bring_up(self, node, ended=None):
        """What a service manager does: it is started again until it stays."""
        if ended:
            self.eventually(lambda: not ended.alive, f"{node.name} ends")

        def up():
            if not node.alive:
                node.configure([("tandem.conf", self.good)])
                node.start()
            return node.worker()

        self.eventually(up, f"{node.name} is up again")

    def command(self, node, word):
        """One that nobody waits for: the guardian may be unable to answer."""
        argv = [self.lab.binary, "-R", node.run_directory, word]
        return Process(word, argv, node.directory / f"{word}.log")

    def reload(self, node, text, status=0):
        node.configure([("tandem.conf", text)])
        command = self.command(node, "reload")
        yield
        yield
        self.eventually(lambda: not command.alive, "the reload ends")
        if self.alone and command.status != status:
            self.broken(f"{node.name}: status {command.status} of a reload")
        node.configure([("tandem.conf", self.good)])
        if text != self.good:
            self.bring_up(node)
            self.eventually(lambda: node.reload()[0] == 0, f"{node.name} takes its own file again")

    # What must hold

    def footprint(self, name):
        """(descriptors, resident KiB) of guardian and worker."""
        node = self.lab.nodes[name]
        result = []
        for pid in (node.guardian, node.worker()):
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                resident = int(file.read().partition("VmRSS:")[2].split()[0])
            with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
                if "libasan" in file.read():
                    resident = 0  # it keeps what was freed
            result.append((fd_count(pid), resident))
        return result

    def leaks(self, connections):
        """What is more than before on either node."""
        found = []
        for name, node in self.lab.nodes.items():
            inhabitants = set(self.lab.network.inhabitants(name))
            if inhabitants != {node.guardian, node.worker()}:
                found.append(f"{name}: processes {sorted(inhabitants)}")
                continue
            limits = (4, 4096), (8 + 2 * connections, 8192)
            for who, limit, before, after in zip(
                ("guardian", "worker"), limits, self.before[name], self.footprint(name)
            ):
                for what, more, was, is_ in zip(("descriptors", "KiB"), limit, before, after):
                    if is_ > was + more:
                        found.append(f"{name}: {who} had {was} {what} and has {is_}")
        return found

    def trusted(self, node):
        """An operator knows that its workers died of what was done to them."""
        status = node.status_json()
        if status and any(instance["probation"] for instance in status["instances"]):
            node.command("resume")
            return False
        return True

    def states(self):
        result = []
        for node in self.lab.nodes.values():
            status = node.status_json()
            result.append({i["state"] for i in status["instances"]} if status else None)
        return result

    def returned(self):
        """Does lb1 hold the address alone?  If its worker has been killed too often for its guardian to trust
        the next one, it is told to."""
        lb1 = self.lab.nodes["lb1"]
        if self.lab.watch.holders(self.lab.vip) == ["lb1"]:
            return True
        status = lb1.status_json()
        if status and status["instances"][0]["probation"]:
            lb1.command("resume")
        return False

    def settle(self):
        """Everything is as at the beginning."""
        lab = self.lab
        for node in lab.nodes.values():
            self.eventually(lambda: self.trusted(node), f"{node.name} is trusted again")
        self.eventually(
            self.returned,
            lambda: f"lb1 alone holds {lab.vip} ({lab.watch.holder(lab.vip)} does)",
        )
        self.eventually(
            lambda: self.states() == [{"MASTER"}, {"BACKUP"}], lambda: f"one master: {self.states()}"
        )
        self.calm()
        self.eventually(lambda: not self.leaks(IDLE + LONG), lambda: "; ".join(self.leaks(IDLE + LONG)))

    def calm(self):
        try:
            self.probe.wait_ok(timeout=SETTLE_S * self.patience)
        except TimeoutError as error:
            self.broken(str(error))

    def judge(self, what, cost_ms, bound_ms):
        """Within its bound it is well, beyond it is late, an order beyond it is broken."""
        if cost_ms > (2 * bound_ms + 1000) * self.patience:
            self.broken(f"{what}: {cost_ms:.0f} ms, bound {bound_ms:.0f}")
        if cost_ms > bound_ms * self.patience:
            self.late.append(f"{what}: {cost_ms:.0f} ms, bound {bound_ms:.0f}: {self.past[-1]}")

    def outage(self, what, bound_ms, since, until):
        cost_ms = self.probe.outage_ms(since, until)
        self.worst_ms = max(self.worst_ms, cost_ms)
        self.judge(what, cost_ms, bound_ms)
        return cost_ms

    def lost_connections(self, until):
        """Those that ended before their time, and no earlier fault can be the cause of it."""
        lost = []
        for line in self._lasting.output().splitlines():
            start, end, what, word = line.split()
            if word != "done" and self.settled <= int(start) / 1e9 and int(end) / 1e9 < until:
                lost.append(f"{what} {word}")
        return lost

    # A round

    def play(self, number):
        plan = Round.of(self.seed, number)
        self.past.append(str(plan))
        self.alone = len(plan.strikes) == 1
        struck = now() - 0.3
        steps = []
        for strike in plan.strikes:
            if steps:
                time.sleep(plan.gap_s)
            where = strike.where if strike.kind.web else self.lab.nodes[strike.where]
            steps.append(strike.kind.strike(self, where))
            next(steps[-1])
        if not plan.early:
            if not plan.hopeless:
                self.calm()
            time.sleep(plan.hold_s)
        healing = now()
        for _ in ("mend", "wait"):
            for step in steps if plan.reverse else reversed(steps):
                next(step, None)
        self.settle()
        self._weigh(plan, struck, healing, now())

    def _weigh(self, plan, struck, healing, end):
        away_ms, back_ms = plan.bound_ms(self.pair)
        if plan.early:
            cost = f"{self.outage('outage', away_ms + back_ms, struck, end):.0f} ms"
        elif plan.hopeless:
            cost = f"back {self.outage('return', back_ms + RESTART_MS, healing, end):.0f} ms after it was healed"
        else:
            cost = f"{self.outage('outage', away_ms, struck, healing):.0f} ms, "
            cost += f"return {self.outage('return', back_ms, healing, end):.0f} ms"
        both_s = self.lab.watch.overlap(self.lab.vip, *PAIR, struck)
        if not any(s.kind.parts for s in plan.strikes):
            self.judge("both held the address", both_s * 1000, config.LEASE_S * 1000 + 500)
        lost = self.lost_connections(end) if plan.quiet else []
        if not plan.quiet:
            self.settled = end
        if lost:
            self.broken(f"connections ended: {', '.join(lost)}")
        launched = self.probe.between(struck, end)
        self.probes += len(launched)
        self.failed += sum(1 for entry in launched if not entry[1])
        self.rounds += 1
        self.past[-1] += f": {cost}"
        self.say(self.past[-1])

    def run(self, seconds, first=1):
        """Rounds for that long.  What is broken comes as Broken, with all that is known."""
        until, number = now() + seconds, first
        try:
            while now() < until:
                self.play(number)
                number += 1
            self._lasting.stop()
            self.eventually(lambda: not self.leaks(0), lambda: "; ".join(self.leaks(0)))
        except Broken as error:
            raise Broken(self.report(str(error))) from None
        finally:
            self._lasting.stop()
            self.probe.stop()

    def report(self, what):
        status = [f"--- {name} status ---\n{node.status()}" for name, node in self.lab.nodes.items()]
        return "\n".join(
            [f"seed {self.seed}: {what}", "The rounds until then:", *self.past, *status, self.lab.logs(150)]
        )

    def summary(self):
        return (
            f"chaos, seed {self.seed}: {self.rounds} rounds, {self.failed} of {self.probes} probes failed, "
            f"longest outage {self.worst_ms:.0f} ms, {len(self.late)} beyond their bound"
        )


@dataclasses.dataclass
class Kills:
    """SIGKILL to everything on the master, again and again."""

    away_ms: list = dataclasses.field(default_factory=list)
    gone_ms: list = dataclasses.field(default_factory=list)
    back_ms: list = dataclasses.field(default_factory=list)

    def run(self, lab, pair, times, patience=1.0):
        lb1 = lab.nodes["lb1"]
        probe = lab.probe()
        probe.wait_ok(timeout=20 * patience)
        for _ in range(times):
            struck = now()
            lb1.kill_all()
            lab.watch.wait_holders(lab.vip, ["lb2"], (pair.down_s() + config.LEASE_S + 2) * patience)
            self.gone_ms.append((lab.watch.spans(lab.vip, "lb1")[-1][1] - struck) * 1000)
            probe.wait_ok(timeout=20 * patience)
            back = now()
            lb1.start()
            lab.watch.wait_holders(lab.vip, ["lb1"], (2 * pair.down_s() + 8) * patience)
            probe.wait_ok(timeout=20 * patience)
            self.away_ms.append(probe.outage_ms(struck - 0.3, back))
            self.back_ms.append(probe.outage_ms(back, now()))
        probe.stop()

    def lines(self):
        for what, figures in (
            ("service away", self.away_ms),
            ("address gone from the dead node after", self.gone_ms),
            ("service away on its return", self.back_ms),
        ):
            ordered = sorted(figures)
            yield (
                f"{what}: min {ordered[0]:.0f}, median {ordered[len(ordered) // 2]:.0f}, "
                f"max {ordered[-1]:.0f} ms"
            )

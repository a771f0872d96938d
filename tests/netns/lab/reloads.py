"""Reload after reload under load: nothing fails, nothing breaks, VRRP says nothing of it, and memory and
descriptors are what they were."""

import dataclasses
import time

from . import config
from .lab import PAIR, PROGRAMS, PYTHON
from .process import Process, fd_count, now, wait_until

PROBES = 4  # that share the load
SETTLE_S = 30.0
ANNOUNCED_MS = 7000
LASTING, LONG, IDLE = 40, 10, 100
MORE_KIB = {"guardian": 2048, "worker": 8192}
MORE_FDS = 4


@dataclasses.dataclass
class Footprint:
    descriptors: int
    resident_kib: int

    @classmethod
    def of(cls, pid):
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return cls(fd_count(pid), int(file.read().partition("VmRSS:")[2].split()[0]))


def footprints(node):
    return {"guardian": Footprint.of(node.guardian), "worker": Footprint.of(node.worker())}


class Reloads:
    """On a running pair whose master is lb1."""

    def __init__(self, lab, pair, rate=1000):
        self.lab, self.pair, self.node = lab, pair, lab.nodes["lb1"]
        self.text, self.problems = [], []
        self.probes = [lab.probe(every_ms=1000 * PROBES // rate, limit_ms=1000) for _ in range(PROBES)]

    def say(self, text):
        self.text.append(text)

    def must(self, condition, text):
        if not condition:
            self.problems.append(text)

    def client(self, program, *args):
        log = f"{self.lab.directory}/{program}-{now():.3f}.log"
        argv = [PYTHON, PROGRAMS / f"{program}.py", self.lab.vip, 80, *args]
        process = Process(program, argv, log, namespace=self.lab.network.namespace("client"))
        self.lab.started(process)
        return process

    def run(self, times):
        entered = self._entered()
        for probe in self.probes:
            probe.wait_ok()
        # The announcements of the take-over come to their end.
        wait_until(lambda: self.node.status_json()["instances"][0]["since_ms_ago"] > ANNOUNCED_MS,
                   SETTLE_S, "the take-over is over")  # fmt: skip
        assert self.node.reload()[0] == 0  # what only the first reload needs is not to be counted
        self._alone()
        before = footprints(self.node)
        idle, lasting = self.lab.hold(IDLE), self.client("lasting", LASTING, LONG)
        capture = self.lab.capture(f"reloads-{now():.0f}")
        begun, began = now(), time.time()
        took = [self._once() for _ in range(times)]
        ended = now()
        wait_until(lambda: self._followed(lasting, ended), SETTLE_S, "what was open has been followed")
        for probe in self.probes:
            probe.stop()
        self.must(self._entered() == entered, "a state changed")
        self._requests(begun, ended)
        self._connections(idle, lasting)
        self._silence(capture, began)
        self._alone()
        self._memory(before)
        took.sort()
        self.say(f"{times} reloads in {ended - begun:.1f} s, each {1000 * took[len(took) // 2]:.0f} ms "
                 f"(median), {1000 * took[-1]:.0f} ms at most")  # fmt: skip

    def _once(self):
        begun = now()
        status, text = self.node.reload()
        self.must(status == 0, f"a reload failed: {text}")
        return now() - begun

    def _entered(self):
        return [node.log_text().count("Entering") for node in self.lab.nodes.values()]

    def _alone(self):
        """Former workers end with their last session."""
        wait_until(lambda: len(self.node.pids()) == 2, SETTLE_S, "the former workers have ended")

    def _requests(self, since, until):
        launched = sum(len(probe.between(since, until)) for probe in self.probes)
        failed = [entry for probe in self.probes for entry in probe.failed(since, until)]
        self.must(not failed, f"failed: {sorted({entry[2] for entry in failed})}")
        self.say(f"{launched} requests, {launched / (until - since):.0f} a second: {len(failed)} failed")

    @staticmethod
    def _ends(lasting):
        return [line.split() for line in lasting.output().splitlines()]

    def _followed(self, lasting, moment):
        """Everything that was open at this moment has ended: another has begun in its place."""
        since = [kind for _, end, kind, _ in self._ends(lasting) if int(end) / 1e9 >= moment]
        return since.count("long") >= LONG and since.count("idle") >= LASTING

    def _connections(self, idle, lasting):
        lasting.stop()
        ends = self._ends(lasting)
        broken = [f"{kind} {word}" for _, _, kind, word in ends if word != "done"]
        lost = idle.output().count("lost")
        idle.stop()
        self.must(not broken and not lost, f"connections broke: {sorted(set(broken))}, {lost} idle ones")
        downloads = sum(1 for _, _, kind, _ in ends if kind == "long")
        self.say(
            f"{downloads} long downloads, {len(ends) - downloads} connections asked again after idle seconds, "
            f"{IDLE} open all the time: {len(broken) + lost} broken"
        )

    def _silence(self, capture, began):
        """One advertisement in each interval, no announcement, no resignation."""
        capture.stop()
        adverts = [one for one in capture.adverts() if one[0] >= began]
        times = [at for at, source, *_ in adverts if source == config.ADDRESSES["lb1"]]
        gap_ms = max((1000 * (b - a) for a, b in zip(times, times[1:])), default=0)
        others = [one for one in adverts if one[1] != config.ADDRESSES["lb1"] or one[4] == 0]
        announced = [at for at, _ in capture.announcements(self.lab.vip) if at >= began]
        self.must(not others, f"{len(others)} advertisements of lb2, or of priority 0")
        self.must(not announced, f"{len(announced)} announcements of the address")
        self.say(f"{len(times)} advertisements, at most {gap_ms:.0f} ms apart; {len(announced)} announcements")

    def _memory(self, before):
        after = footprints(self.node)
        for who, was in before.items():
            found = after[who]
            self.say(f"{who}: {was.resident_kib} KiB and {was.descriptors} descriptors before, "
                     f"{found.resident_kib} and {found.descriptors} after")  # fmt: skip
            self.must(found.resident_kib <= was.resident_kib + MORE_KIB[who], f"{who}: memory has grown")
            self.must(found.descriptors <= was.descriptors + MORE_FDS, f"{who}: descriptors have grown")


def pair_for(lab, pair):
    """The pair with connections that may lie idle."""
    for name in PAIR:
        lab.tandem(name, pair, config.proxy(idle="10m"))
    lab.start_pair()

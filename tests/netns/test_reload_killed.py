"""Killed in the middle of a reload: each of the three processes, at each step that succession.h has.

The steps are held still from outside: a file that is a pipe, a worker that is stopped.
"""

import os
import signal

import pytest

from lab import config
from lab.margin import within
from lab.process import Process, now, send_signal, wait_until
from test_reload import newcomer

pytestmark = pytest.mark.quick


class Reload:
    """One on lb1.  `first` and `second` are its workers; `let_go` ends what holds the step still."""

    def __init__(self, lb1, patience):
        self.lb1, self.patience = lb1, patience
        self.first, self.second = lb1.worker(), None
        self.let_go = lambda: None

    def _begin(self):
        argv = [self.lb1.lab.binary, "-R", self.lb1.run_directory, "reload"]
        self.command = Process("reload", argv, self.lb1.directory / "reload.log")

    def _wait_log(self, line):
        log = self.lb1.log_text
        wait_until(lambda: line in log()[self._said :], 5 * self.patience, f"the log has: {line}")

    def _stop(self, pid):
        os.kill(pid, signal.SIGSTOP)
        self.let_go = lambda: send_signal(pid, signal.SIGCONT)

    def at(self, step):
        self._said = len(self.lb1.log_text())
        getattr(self, step)()

    def loading(self):
        path = self.lb1.files[0]
        text = path.read_text(encoding="utf-8")
        path.unlink()
        os.mkfifo(path)

        def let_go():
            with open(os.open(path, os.O_RDWR | os.O_NONBLOCK), "w", encoding="utf-8") as pipe:
                path.unlink()
                path.write_text(text, encoding="utf-8")
                pipe.write(text)

        self.let_go = let_go
        self._begin()
        self._wait_log("reloading")

    def preparing(self):
        """On a busy machine the moment may have passed: the next reload has one, too."""
        for _ in range(50):
            self._begin()
            self.second = newcomer(self.lb1.guardian, {str(self.first)})
            self._stop(self.second)
            if f"(pid {self.second}) is ready" not in self.lb1.log_text():
                return
            self.let_go()
            self.command.wait_gone(10 * self.patience)
            wait_until(lambda: len(self.lb1.pids()) == 2, 10 * self.patience, "one worker is left")
            self.first = self.lb1.worker()
        raise AssertionError("no worker was ever caught before it was ready")

    def freezing(self):
        self._stop(self.first)
        self._begin()
        self.second = newcomer(self.lb1.guardian, {str(self.first)})
        self._wait_log(f"(pid {self.second}) is ready")

    def passed(self):
        self._begin()
        self.second = newcomer(self.lb1.guardian, {str(self.first)})
        self._wait_log("reloaded in")

    def kill(self, who):
        pid = self.lb1.guardian if who == "guardian" else getattr(self, who)
        os.kill(pid, signal.SIGKILL)
        return pid


CASES = {
    "first": ("loading", "preparing", "freezing"),
    "second": ("preparing", "freezing", "passed"),
    "guardian": ("loading", "preparing", "freezing", "passed"),
}


@pytest.mark.parametrize("who", CASES)
def test_killed(lab, pair_of, patience, fast, say, who):
    """One master each time, no address left behind, and the service is back."""
    pair = fast()
    lb1, lb2 = pair_of(pair)
    probe = lab.probe()
    costs = []
    for step in CASES[who]:
        probe.wait_ok(timeout=15 * patience)
        heard = len(lb2.log_text())
        reload = Reload(lb1, patience)
        reload.at(step)
        struck = now()
        pid = reload.kill(who)
        reload.let_go()
        case = f"{who} killed, {step}"
        if who == "guardian":
            lb1.process.wait_gone(5 * patience)
            lab.watch.wait_holders(lab.vip, ["lb2"], (config.LEASE_S + 2) * patience)
            wait_until(lambda: "10.0.0.11 resigned" in lb2.log_text()[heard:], 5 * patience, f"{case}: the will")
            wait_until(lambda: not lab.network.inhabitants("lb1"), 10 * patience, f"{case}: all end")
            lb1.start()
        wait_until(lambda: not reload.command.alive, 10 * patience, f"{case}: the command ends")
        lb1.wait_worker(10 * patience, other_than=pid)
        lab.watch.wait_holders(lab.vip, ["lb1"], (pair.down_s() + 10) * patience)
        probe.wait_ok(timeout=15 * patience)
        outage_ms = probe.outage_ms(struck - 0.3)
        both_s = lab.watch.overlap(lab.vip, "lb1", "lb2", struck)
        costs.append(f"{step} {outage_ms:.0f} ms")
        assert outage_ms <= within(pair.down_s() * 1000 + 100, patience), case
        assert both_s * 1000 <= within(config.LEASE_S * 1000 + 500, patience), f"{case}: two masters"
        assert lb1.reload()[0] == 0, f"{case}: no reload is possible any more"
        for node in (lb1, lb2):
            wait_until(
                lambda: set(lab.network.inhabitants(node.name)) == {node.guardian, node.worker()},
                10 * patience,
                f"{case}: {node.name} has a guardian and a worker",
            )
    probe.stop()
    say(f"killed during a reload, the {who}: outage while {', '.join(costs)}")

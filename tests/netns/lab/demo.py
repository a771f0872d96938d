"""scripts/demo: two load balancers, two web servers, a client; the master dies, service goes on."""

import signal
import sys

from . import config
from .lab import PAIR, Lab, end_on_signals, sweep_abandoned
from .process import now, send_signal, wait_until

BOLD, GREEN, DIM, PLAIN = ("\033[1m", "\033[32m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("",) * 4
PAIR_CONFIG = config.Pair(router_id=100)
QUIET_S = 0.3


def say(text=""):
    print(text, flush=True)


def title(text):
    say(f"\n{BOLD}== {text}{PLAIN}")


def ask(lab, times=6):
    answers = [lab.ask() or "no answer" for _ in range(times)]
    say(f"   client: curl http://{lab.vip}/   ->   {', '.join(answers)}")


def answers(probe, since):
    """Who answered the probe, which asks all the time: the alternation under load."""
    names = [entry[3] for entry in probe.between(since, now()) if entry[1]]
    counts = ", ".join(f"{name} {names.count(name)}" for name in sorted(set(names)))
    say(f"   answers since then: {counts}; the last: {', '.join(names[-6:])}")


def verdict(lab, probe, since, until, holder):
    """What the client lost between two moments, and who had the address."""
    launched = probe.between(since - QUIET_S, until)
    lost = len(probe.failed(since - QUIET_S, until))
    say(
        f"   {GREEN}service away for {probe.outage_ms(since - QUIET_S, until):.0f} ms{PLAIN} "
        f"({lost} of {len(launched)} requests failed); {lab.vip} is held by {BOLD}{holder}{PLAIN}"
    )


def status(lab):
    for name in PAIR:
        node = lab.nodes[name]
        say(f"{DIM}   {name}$ tandem status{PLAIN}")
        text = node.status() if node.alive else "not running"
        say("\n".join(f"   | {line}" for line in text.rstrip().splitlines()))


def show(lab):
    title("Five hosts on one switch")
    say("   lb1 10.0.0.11   lb2 10.0.0.12   web1 10.0.0.21   web2 10.0.0.22   client 10.0.0.100")
    lab.up()
    for name in PAIR:
        lab.tandem(name, PAIR_CONFIG)
    text = lab.nodes["lb1"].files[0].read_text(encoding="utf-8")
    say("\n   The one file of both load balancers:\n")
    say("\n".join(f"   | {line}" for line in text.splitlines()))

    title(f"Both start; lb1, preferred, takes {lab.vip}")
    began = now()
    lab.start_pair()
    wait_until(lambda: lab.ask(timeout=1), 10, f"{lab.vip} answers")
    say(
        f"   {lab.vip} is held by {BOLD}{lab.watch.holder(lab.vip)}{PLAIN} and answers "
        f"{now() - began:.1f} s after the start; the answers alternate:"
    )
    ask(lab)
    probe = lab.probe()
    probe.wait_ok()
    say("   From here on the client opens a new connection every 10 ms.")
    status(lab)

    title("SIGKILL to every process of the master, lb1")
    victims = lab.nodes["lb1"].pids()
    struck = now()
    lab.nodes["lb1"].kill_all()
    say(f"   killed: {' '.join(map(str, victims))}")
    lab.watch.wait_holders(lab.vip, ["lb2"], 12)
    probe.wait_ok()
    verdict(lab, probe, struck, now(), lab.watch.holder(lab.vip))
    taken = [e[0] for e in lab.watch.events(lab.vip, struck) if e[1] == "lb2" and e[3]]
    gone = [e[0] for e in lab.watch.events(lab.vip, struck) if e[1] == "lb1" and not e[3]]
    say(f"   Nobody was left on lb1 to resign: the kernel let its address lapse after "
        f"{gone[0] - struck:.1f} s,\n   and lb2 waited out three missed advertisements "
        f"({taken[0] - struck:.1f} s).")  # fmt: skip
    answers(probe, taken[0])
    status(lab)

    title("lb1 comes back")
    back = now()
    lab.nodes["lb1"].start()
    lab.watch.wait_holders(lab.vip, ["lb1"], 15)
    probe.wait_ok()
    verdict(lab, probe, back, now(), lab.watch.holder(lab.vip))

    title("SIGKILL to the worker of lb1 only: its guardian resigns for it")
    victim = lab.nodes["lb1"].worker()
    struck = now()
    send_signal(victim, signal.SIGKILL)
    wait_until(lambda: "lb2" in lab.watch.holders(lab.vip), 8, "lb2 takes over")
    probe.wait_ok()
    verdict(lab, probe, struck, now(), lab.watch.holder(lab.vip))
    lab.watch.wait_holders(lab.vip, ["lb1"], 15)
    probe.wait_ok()

    title("A web server is killed")
    struck = now()
    send_signal(lab.webs["web1"].pid, signal.SIGKILL)
    probe.wait_ok(in_a_row=300)
    verdict(lab, probe, struck, now(), lab.watch.holder(lab.vip))
    answers(probe, struck)
    probe.stop()
    ask(lab)
    status(lab)

    title("Both stop")
    problems = lab.stop_pair()
    for problem in problems:
        say(f"   {problem}")
    if not problems:
        say("   Nothing is left: no process, no address.")
    return 1 if problems else 0


def main():
    end_on_signals()
    sweep_abandoned()
    with Lab() as lab:
        try:
            return show(lab)
        except (TimeoutError, RuntimeError, IndexError) as error:
            say(f"\nThe demonstration failed: {error}\n{lab.logs()}")
            return 1


if __name__ == "__main__":
    sys.exit(main())

"""The faults of lab/chaos.py.  Each is a generator: it strikes, yields, mends what it did, yields (others
may have more to mend), and waits until its node is back."""

import dataclasses
import random
import signal
import threading

from . import config
from .attacker import Attacker
from .faults import FAULTS, down, interval
from .network import SWITCH
from .process import Process, now, send_signal

CHECK_S, FALL = 0.2, 2  # of the proxy's part, in chaos.py
WEB_MS = (FALL + 1) * CHECK_S * 1000 + 500  # until a server that hangs is known to


@dataclasses.dataclass(frozen=True)
class Kind:
    """What there is to a fault."""

    name: str
    strike: object
    bound_ms: object  # callable: Pair -> ms, on the master
    web: bool = False  # strikes a web server, not a node
    out: bool = False  # the node cannot hold the address meanwhile
    quiet: bool = False  # no request fails and no connection ends, on whichever node
    parts: bool = False  # both nodes may be master meanwhile
    back_ms: object = lambda pair: 50


KINDS = {}


def kind(name, bound_ms, **more):
    def register(strike):
        KINDS[name] = Kind(name, strike, bound_ms, **more)
        return strike

    return register


def row(name):
    """The bound of a row of the fault table."""
    return FAULTS[name].bound_ms


def at_once(_pair):
    return 50


@kind("term", row("term"), out=True)
def _(chaos, node):
    first = node.process
    node.terminate()
    yield
    yield
    chaos.bring_up(node, first)


@kind("killall", down, out=True)
def _(chaos, node):
    first = node.process
    node.kill_all()
    struck = now()
    yield
    gone = chaos.lab.watch.spans(chaos.lab.vip, node.name)
    if gone and gone[-1][1] > struck:
        bound_ms = config.LEASE_S * 1000 + 500
        chaos.judge("address on the dead node", (gone[-1][1] - struck) * 1000, bound_ms)
    yield
    chaos.bring_up(node, first)


def _signal_worker(chaos, node, number):
    if pid := node.alive and node.worker():
        send_signal(pid, number)
    yield
    yield
    chaos.bring_up(node)


@kind("kill", row("kill"), out=True)
def _(chaos, node):
    yield from _signal_worker(chaos, node, signal.SIGKILL)


@kind("segv", row("segv"), out=True)
def _(chaos, node):
    yield from _signal_worker(chaos, node, signal.SIGSEGV)


@kind("hang", row("hang"), out=True)
def _(chaos, node):
    yield from _signal_worker(chaos, node, signal.SIGSTOP)


@kind("guardian", at_once, out=True)
def _(chaos, node):
    first = node.process
    first.signal(signal.SIGKILL)
    yield
    yield
    chaos.bring_up(node, first)


@kind("guardian-hang", down, out=True)
def _(chaos, node):
    process = node.process
    process.signal(signal.SIGSTOP)
    yield
    process.signal(signal.SIGCONT)
    yield
    chaos.bring_up(node)


@kind("pause", down, out=True)
def _(chaos, node):
    node.pause()
    yield
    node.resume()
    yield
    chaos.bring_up(node)


@kind("link", down, out=True)
def _(chaos, node):
    chaos.attempt("link", node.name, False)
    yield
    chaos.attempt("link", node.name, True)


@kind("carrier", down, out=True)
def _(chaos, node):
    chaos.attempt("carrier", node.name, False)
    yield
    chaos.attempt("carrier", node.name, True)


@kind("port", down, out=True, parts=True, back_ms=interval)
def _(chaos, node):
    chaos.attempt("port", node.name, False)
    yield
    chaos.attempt("port", node.name, True)


@kind("unplug", down, out=True)
def _(chaos, node):
    chaos.attempt("unplug", node.name)
    yield
    chaos.lab.network.plug_in(node.name)


def _drop(chaos, name, match):
    network = chaos.lab.network
    rules = f"table bridge {name} {{ chain forward {{ type filter hook forward priority 0; {match} drop; }}; }}"
    network.exec(SWITCH, "nft", rules)
    yield
    network.exec(SWITCH, "nft", f"delete table bridge {name}")


@kind("split", at_once, parts=True, back_ms=interval)
def _(chaos, node):
    """The two nodes do not hear each other; everybody else hears both."""
    yield from _drop(chaos, f"split_{node.name}", 'iifname { "lb1", "lb2" } oifname { "lb1", "lb2" }')


@kind("noway", lambda pair: (FALL + 1) * CHECK_S * 1000 + 300 + pair.skew_s(100) * 1000 + 100, out=True)
def _(chaos, node):
    webs = ", ".join(config.ADDRESSES[web] for web in config.WEBS)
    yield from _drop(chaos, f"noway_{node.name}", f'iifname "{node.name}" ip daddr {{ {webs} }}')


@kind("del", row("del"), quiet=True)
def _(chaos, node):
    chaos.attempt("ip", node.name, "addr", "del", f"{chaos.lab.vip}/32", "dev", "eth1")
    yield


@kind("foreign", row("del"), quiet=True)
def _(chaos, node):
    """Somebody gives it the address, which it has already or must not have."""
    chaos.attempt("ip", node.name, "addr", "add", f"{chaos.lab.vip}/24", "dev", "eth1")
    yield


@kind("flush", down, out=True)
def _(chaos, node):
    """All its addresses, its own too, and with it the source of its advertisements."""
    chaos.attempt("ip", node.name, "addr", "flush", "dev", "eth1")
    yield
    address = config.ADDRESSES[node.name]
    chaos.attempt("ip", node.name, "addr", "add", f"{address}/24", "brd", "+", "dev", "eth1")


@kind("reload", at_once, quiet=True)
def _(chaos, node):
    yield from chaos.reload(node, chaos.good)


@kind("reload-changed", at_once, quiet=True)
def _(chaos, node):
    more = chaos.good.replace(f"{chaos.lab.vip}/32", f"{chaos.lab.vip}/32\n        10.0.0.77/32")
    more = more.replace("global\n", "global\n    nbthread 3\n", 1)
    more += "    server app3 10.0.0.22:80 check inter 200 fall 2\nlisten more\n    bind *:8081\n    server app1 10.0.0.21:80\n"
    yield from chaos.reload(node, more)


@kind("upgrade", at_once, quiet=True)
def _(chaos, node):
    """To the very same binary."""
    command = chaos.command(node, "upgrade")
    yield
    yield
    chaos.eventually(lambda: not command.alive, "the upgrade ends")
    if chaos.alone and command.status != 0:
        chaos.broken(f"{node.name}: status {command.status} of an upgrade")


@kind("hup", at_once, quiet=True)
def _(chaos, node):
    """Twice, as impatient people do it."""
    node.process.signal(signal.SIGHUP)
    node.process.signal(signal.SIGHUP)
    yield


@kind("reload-broken", at_once, quiet=True)
def _(chaos, node):
    yield from chaos.reload(node, chaos.good + "backend more\n    balance roundrobbin\n", status=1)


@kind("resign", at_once, out=True)
def _(chaos, node):
    command = chaos.command(node, "resign")
    yield
    yield
    chaos.bring_up(node)
    chaos.eventually(lambda: not command.alive, "the command ends")
    chaos.eventually(lambda: node.command("resume")[0] == 0, f"{node.name} resumes")


@kind("burn", lambda pair: 1000)
def _(chaos, node):
    namespace = chaos.lab.network.namespace(node.name)
    argv = ["sh", "-c", "while :; do :; done"]
    loops = [Process("burn", argv, node.directory / "burn.log", namespace=namespace) for _ in range(4)]
    yield
    for loop in loops:
        loop.stop()


@kind("forged", at_once, quiet=True)
def _(chaos, node):
    """Packets that no receiver may take for an advertisement of the peer, as fast as they can be made."""
    stop = threading.Event()
    dice = random.Random(chaos.seed)

    def attack():
        attacker = Attacker(chaos.lab.network)
        try:
            master = config.ADDRESSES["lb1"]
            real = attacker.hear(1, master, 10)[0].changed(to=config.ADDRESSES[node.name])
            while not stop.is_set():
                pdu = bytearray(real.changed(priority=255).pdu)
                way = dice.choice(("vrid", "version", "cut", "noise", "count"))
                if way == "vrid":
                    pdu[1] ^= 1 << dice.randrange(8)
                elif way == "version":
                    pdu[0] ^= 0x80
                elif way == "count":
                    pdu[3] += dice.randrange(1, 100)
                elif way == "cut":
                    del pdu[dice.randrange(8, len(pdu)) :]
                else:
                    pdu[8:] = dice.randbytes(dice.randrange(4, 200))
                    pdu[1] ^= 0xFF
                attacker.send(dataclasses.replace(real, pdu=bytes(pdu)), node.name)
                stop.wait(0.002)
        except (TimeoutError, OSError):
            pass  # nobody speaks, or the way is cut: another fault's doing
        finally:
            attacker.close()

    thread = threading.Thread(target=attack, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join()


@kind("web-killed", at_once, web=True)
def _(chaos, web):
    chaos.lab.webs[web].kill_all()
    chaos.lab.webs[web].wait_gone(2)
    yield
    chaos.lab.start_web(web)


@kind("web-hung", lambda pair: WEB_MS, web=True)
def _(chaos, web):
    chaos.lab.webs[web].signal(signal.SIGSTOP)
    yield
    chaos.lab.webs[web].signal(signal.SIGCONT)


@kind("web-slow", lambda pair: WEB_MS, web=True)
def _(chaos, web):
    """It runs for a fifth of the time."""
    stop = threading.Event()

    def slow():
        while not stop.is_set():
            chaos.lab.webs[web].signal(signal.SIGSTOP)
            stop.wait(0.08)
            chaos.lab.webs[web].signal(signal.SIGCONT)
            stop.wait(0.02)

    thread = threading.Thread(target=slow, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join()

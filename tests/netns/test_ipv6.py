"""IPv6: Tandem and keepalived as peers, both transports, both families side by side."""

import dataclasses
import os
import re
import signal

import pytest

from lab.config import ADDRESSES6, LEASE_S, VIP, VIP6, Pair, proxy
from lab.margin import within
from lab.process import now, wait_until

MULTICAST = Pair(version=3, advert_s=0.2, unicast=False, vip=VIP6)
UNICAST = dataclasses.replace(MULTICAST, unicast=True)
PAIRS = {"multicast": MULTICAST, "unicast": UNICAST}
BINDS = {"multicast": ":::80 v4v6", "unicast": f"[{VIP6}]:80"}


@pytest.fixture(autouse=True)
def _no_tentative_addresses(lab, patience):
    """Until its link-local address is known to be unique, a node takes no part."""

    def tentative(name):
        return lab.network.ip(name, "-6", "addr", "show", "tentative").strip()

    wait_until(lambda: not any(map(tentative, ("lb1", "lb2"))), 5 * patience, "addresses are ours")


def check_wire(lab, capture, pair, tandems=("lb1", "lb2")):
    """tshark finds no fault; sources and destinations are those of the transport."""
    assert capture.faults() == [], "tshark finds fault with these packets"
    for name in tandems:
        mac = lab.network.mac(name)
        assert capture.announcement_faults(mac) == [], "announcements with wrong flags"
        assert capture.packets(f"vrrp && eth.src == {mac} && ipv6.hlim != 255", "ipv6.src") == []
    ends = {a[1:3] for a in capture.adverts()}
    if pair.unicast:
        one, other = ADDRESSES6["lb1"], ADDRESSES6["lb2"]
        assert ends <= {(one, other), (other, one)}
    else:
        assert {to for _, to in ends} == {"ff02::12"}
        assert all(source.startswith("fe80:") for source, _ in ends)
    assert {a[3] for a in capture.adverts()} == {3}


@pytest.mark.quick
@pytest.mark.parametrize("name", PAIRS)
def test_pair(lab, pair_of, patience, say, name):
    """Resignation and return lose nothing; a client reaches the address through the proxy."""
    pair = PAIRS[name]
    capture = lab.capture(name)
    lb1, _ = pair_of(pair, proxy=proxy(bind=BINDS[name]))
    probe = lab.probe()
    probe.wait_ok(timeout=15 * patience)
    began = now()
    lb1.terminate()
    lab.watch.wait_holders(VIP6, ["lb2"], (pair.down_s() + 2) * patience)
    probe.wait_ok(timeout=15 * patience)
    assert lb1.process.wait_gone(3 * patience) == 0
    resigned = now()
    lb1.start()
    lab.watch.wait_holders(VIP6, ["lb1"], (pair.down_s() + 6) * patience)
    probe.wait_ok(timeout=15 * patience)
    end = now()
    status = next(i for i in lb1.status_json()["instances"])
    probe.stop()
    capture.stop()
    say(
        f"IPv6 {name}: {len(probe.launches)} probes, {len(probe.failed())} failed, "
        f"resignation {probe.outage_ms(began, resigned):.0f} ms, "
        f"return {probe.outage_ms(resigned, end):.0f} ms, on {lab.watch.holder(VIP6)}"
    )
    check_wire(lab, capture, pair)
    assert len(capture.adverts(priority=0)) == 1, "one resignation"
    assert len({mac for _, mac in capture.announcements(VIP6)}) == 2, "both announced the address"
    assert status["family"] == "IPv6" and status["state"] == "MASTER"
    assert probe.outage_ms(began, resigned) <= within(50, patience)
    assert probe.outage_ms(resigned, end) <= within(50, patience)


@pytest.mark.quick
def test_faults(lab, pair_of, patience, say):
    """The will, the lease, and an address that somebody else removes or leaves behind."""
    lb1, lb2 = pair_of(UNICAST)
    interface = lab.network.interfaces["lb1"]
    began = now()
    lab.network.ip("lb1", "addr", "del", f"{VIP6}/128", "dev", interface)
    wait_until(lambda: len(lab.watch.events(VIP6, began)) >= 2, 3 * patience, "it is put back")
    lab.network.ip("lb2", "addr", "add", f"{VIP6}/64", "dev", interface, "nodad")
    lab.watch.wait_holders(VIP6, ["lb1"], 3 * patience)

    killed = now()
    os.kill(lb1.worker(), signal.SIGKILL)
    wait_until(lambda: "lb2" in lab.watch.holders(VIP6), 3 * patience, "lb2 takes over")
    will = [e[0] for e in lab.watch.events(VIP6, killed) if e[1] == "lb2"][0] - killed
    lab.watch.wait_holders(VIP6, ["lb1"], (UNICAST.down_s() + 8) * patience)

    killed = now()
    lb1.kill_all()
    wait_until(lambda: "lb2" in lab.watch.holders(VIP6), 3 * patience, "lb2 takes over")
    lab.watch.wait_holders(VIP6, ["lb2"], 5 * patience)
    gone = [e[0] for e in lab.watch.events(VIP6, killed) if e[1] == "lb1"][-1] - killed
    say(f"IPv6: worker killed, taken over in {1000 * will:.0f} ms; all killed, VIP gone in {gone:.1f} s")
    assert will * 1000 <= within(50, patience)
    assert gone * 1000 <= within(LEASE_S * 1000 + 500, patience)


@pytest.mark.quick
def test_both_families(lab, patience, say):
    """One VRID serves IPv4 and IPv6 on an interface; each list may hold excluded ones of the other."""
    four = Pair(version=3, advert_s=0.2, unicast=False,
                instance="virtual_ipaddress_excluded {\n    fd00::44\n}")  # fmt: skip
    six = dataclasses.replace(MULTICAST, priority=(100, 150),
                              instance="virtual_ipaddress_excluded {\n    10.0.0.66\n}")  # fmt: skip
    text = four.vrrp() + six.vrrp().partition("}\n")[2].replace("VI_1", "VI_6")
    files = [("tandem.conf", text + proxy(bind=":::80 v4v6"))]
    for name in ("lb1", "lb2"):
        lab.tandem(name, four, files=files)
    for node in lab.nodes.values():
        node.start()
    for address in (VIP, "fd00::44"):
        lab.watch.wait_holders(address, ["lb1"], (four.down_s() + 8) * patience)
    for address in (VIP6, "10.0.0.66"):
        lab.watch.wait_holders(address, ["lb2"], (four.down_s() + 8) * patience)
    for address in (VIP, VIP6, "fd00::44", "10.0.0.66"):
        wait_until(lambda a=address: "test web" in lab.ask(a), 5 * patience, f"{address} answers")
    say("IPv4 on lb1, IPv6 on lb2, both with VRID 51: all four addresses answer")


KEEPALIVED = [
    ("multicast", "lb1", "SIGTERM"),
    ("multicast", "lb1", "SIGKILL"),
    ("multicast", "lb2", "SIGTERM"),
    ("multicast", "lb2", "SIGKILL"),
    ("unicast", "lb1", "SIGTERM"),
    ("unicast", "lb2", "SIGKILL"),
]


@pytest.mark.parametrize("name, tandem_on, end", KEEPALIVED)
def test_keepalived(lab, patience, say, name, tandem_on, end):
    """keepalived 2.2.7 as the other node: the master ends, and has the address again on return."""
    pair = PAIRS[name]
    capture = lab.capture(f"{name}-{tandem_on}-{end}")
    for node in ("lb1", "lb2"):
        make = lab.tandem if node == tandem_on else lab.classic
        make(node, pair, proxy(bind=":::80 v4v6"))
    lab.start_pair(timeout=(pair.down_s() + 8) * patience)
    master, other = lab.nodes["lb1"], lab.nodes["lb2" if tandem_on == "lb1" else "lb1"]
    probe = lab.probe()
    probe.wait_ok(timeout=15 * patience)
    ended = now()
    if end == "SIGTERM":
        master.terminate()
    else:
        master.kill_all()
    wait_until(
        lambda: "lb2" in lab.watch.holders(VIP6), (pair.down_s() + 2) * patience, "lb2 takes over"
    )
    probe.wait_ok(timeout=15 * patience)
    master.stop()  # also clears the address a killed keepalived leaves behind
    lab.watch.wait_holders(VIP6, ["lb2"], 5 * patience)
    returned = now()
    master.start()
    lab.watch.wait_holders(VIP6, ["lb1"], (pair.down_s() + 8) * patience)
    probe.wait_ok(timeout=15 * patience)
    probe.stop()
    capture.stop()
    outage = probe.outage_ms(ended - 0.3, returned)
    say(
        f"IPv6 {name}, {'tandem' if tandem_on == 'lb1' else 'keepalived'} master, {end}: "
        f"{len(probe.launches)} probes, {len(probe.failed())} failed, outage {outage:.0f} ms"
    )
    check_wire(lab, capture, pair, [tandem_on])
    words = "\n".join(
        line
        for line in other.log_text().splitlines()
        if "VI_1" in line and "lower priority" not in line
    )
    assert not re.search(r"(?i)bad|mismatch|incorrect|invalid|discard", words), words
    if tandem_on == "lb1" and end == "SIGTERM":
        assert outage <= within(50, patience), "make before break"
    if end == "SIGKILL":
        assert outage <= within(pair.down_s() * 1000 + 100, patience)

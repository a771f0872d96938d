"""What else happens to a host's addresses: other programs add, change, flush and leave them behind."""

import dataclasses
import json
import time

import pytest

from lab.config import ADDRESSES, LEASE_S, VIP, Pair
from lab.margin import share_within, within
from lab.process import now, wait_until
from lab.scale import cpu_s


def entries(lab, node, address):
    """What the kernel says of an address on the node: one dictionary for each prefix length."""
    links = json.loads(lab.network.ip(node, "-j", "addr", "show") or "[]")
    return [i for link in links for i in link.get("addr_info", []) if i.get("local") == address]


@pytest.mark.quick
def test_left_by_keepalived(lab, patience, say):
    """A killed keepalived leaves its addresses, whatever their form: they go before Tandem takes part."""
    far = "10.66.0.10 peer 10.66.0.1/24"
    old = Pair(vip=f"{VIP}/24", instance=f"virtual_ipaddress_excluded {{\n fd00::10/64\n {far}\n}}")
    lab.classic("lb1", old, proxy="")
    lab.nodes["lb1"].start()
    theirs = {VIP, "fd00::10", "10.66.0.10"}
    wait_until(lambda: theirs <= lab.network.addresses("lb1"), 15 * patience, "keepalived is master")
    lab.nodes["lb1"].kill_all()

    new = Pair(version=3, advert_s=0.1, priority=(100, 150),
               instance=f"virtual_ipaddress_excluded {{\n fd00::10\n {far}\n}}")  # fmt: skip
    for name in ("lb2", "lb1"):
        lab.tandem(name, new)
    lab.nodes["lb2"].start()
    wait_until(lambda: VIP in lab.network.addresses("lb2"), 5 * patience, "lb2 is master")
    (ours,) = wait_until(lambda: entries(lab, "lb2", "10.66.0.10"), 5 * patience, "lb2 has all")
    assert (ours["address"], ours["prefixlen"]) == ("10.66.0.1", 24), "the other end, and its prefix"
    began = now()
    lab.nodes["lb1"].start()
    wait_until(lambda: not theirs & lab.network.addresses("lb1"), 2 * patience, "they are gone")
    say(f"left by keepalived, at /24 and /64: gone {(now() - began) * 1000:.0f} ms after Tandem's start")
    told = (f"removed {VIP}/24", "removed fd00::10/64", "removed 10.66.0.10/")
    lb1 = lab.nodes["lb1"]
    wait_until(lambda: all(line in lb1.log_text() for line in told), 2 * patience, "the log says so")
    assert "MASTER" not in lb1.log_text().replace("we are not MASTER", "")


@pytest.mark.quick
def test_lifetime_taken_away(lab, pair_of, patience, fast):
    """Somebody makes the address permanent: the next renewal makes it a lease again."""
    pair_of(fast())

    def lifetime():
        return entries(lab, "lb1", VIP)[0]["valid_life_time"]

    assert lifetime() <= LEASE_S
    lab.network.ip("lb1", "addr", "change", f"{VIP}/32", "dev", "eth1", "valid_lft", "forever",
                   "preferred_lft", "forever")  # fmt: skip
    assert lifetime() > 10**9
    wait_until(lambda: lifetime() <= LEASE_S, LEASE_S * patience, "it is a lease again")
    assert lab.watch.holders(VIP) == ["lb1"]


def test_flush(lab, pair_of, patience, fast, say):
    """`ip addr flush` as a network manager does it: with the node's own address gone for a moment the other
    node takes over; at the end the preferred one has the address again, and never do both keep it."""
    pair = fast()
    lb1, _ = pair_of(pair)
    probe = lab.probe()
    probe.wait_ok()
    began = now()
    for _ in range(5):
        lab.network.ip("lb1", "addr", "flush", "to", VIP)
        wait_until(lambda: VIP in lab.network.addresses("lb1"), patience, "it is put back")
    alone = now()
    probe.wait_ok()
    assert "FAULT" not in lb1.log_text()

    flushed = now()
    lab.network.ip("lb1", "addr", "flush", "dev", "eth1")
    lab.watch.wait_holders(VIP, ["lb2"], (pair.down_s() + 2) * patience)
    probe.wait_ok()
    lab.network.ip("lb1", "addr", "add", f"{ADDRESSES['lb1']}/24", "brd", "+", "dev", "eth1")
    lab.watch.wait_holders(VIP, ["lb1"], (pair.down_s() + 5) * patience)
    probe.wait_ok()
    probe.stop()
    say(
        f"flushed: the address alone, 5 times: {probe.outage_ms(began, alone):.0f} ms; all of the interface: "
        f"{probe.outage_ms(flushed):.0f} ms"
    )
    assert probe.outage_ms(began, alone) <= within(5 * 50, patience)
    assert probe.outage_ms(flushed) <= within(10 * pair.down_s() * 1000, patience)


@pytest.mark.parametrize("end", ["release", "lapse"])
def test_secondary(lab, patience, end):
    """An address of the host's that became a secondary one of the virtual address survives its going."""
    pair = Pair(version=3, advert_s=0.1, vip="10.0.9.10/24")
    lab.network.exec("lb1", "sh", "-c", "echo 0 >/proc/sys/net/ipv4/conf/eth1/promote_secondaries")
    for name in ("lb1", "lb2"):
        lab.tandem(name, pair)
    lab.start_pair(timeout=10 * patience)
    lab.network.ip("lb1", "addr", "add", "10.0.9.111/24", "dev", "eth1")
    assert entries(lab, "lb1", "10.0.9.111")[0].get("secondary"), "the virtual address is the primary one"
    if end == "release":
        lab.nodes["lb1"].terminate()
    else:
        lab.nodes["lb1"].kill_all()
    lab.watch.wait_holders(pair.vip_address, ["lb2"], (LEASE_S + 3) * patience)
    assert "10.0.9.111" in lab.network.addresses("lb1")


MANY6 = 300


def test_many_ipv6(lab, patience, say):
    """IPv6 leases at scale, in one list with IPv4: a longer lease, and less than 1 % of a core to renew it."""
    addresses = [f"fd00::1:{n:x}" for n in range(MANY6)]
    lines = [f"  {a}/128" for a in addresses] + ["  10.0.0.13", "  fd00::2:1/128 preferred_lft forever"]
    pair = dataclasses.replace(
        Pair(version=3, advert_s=0.1),
        instance="virtual_ipaddress_excluded {\n" + "\n".join(lines) + "\n}",
    )
    for name in ("lb1", "lb2"):
        lab.tandem(name, pair)
    began = now()
    lab.start_pair(timeout=15 * patience)
    everything = {*addresses, "10.0.0.13", "fd00::2:1"}
    wait_until(lambda: everything <= lab.network.addresses("lb1"), 15 * patience, "lb1 has all")
    taken = now() - began
    assert "fd00::1:0" not in lab.network.addresses("lb2")
    lease = entries(lab, "lb1", "fd00::1:7")[0]
    assert LEASE_S < lease["valid_life_time"] <= MANY6 * 4 / 64 + 1
    assert lease.get("deprecated") and not entries(lab, "lb1", "fd00::2:1")[0].get("deprecated")

    guardian = [lab.nodes["lb1"].guardian]
    before, since = cpu_s(guardian), now()
    time.sleep(10)  # a renewal is among them: the figure is about rest
    share = (cpu_s(guardian) - before) / (now() - since)

    lab.network.ip("lb1", "addr", "del", "fd00::1:9/128", "dev", "eth1")
    wait_until(lambda: "fd00::1:9" in lab.network.addresses("lb1"), 2 * patience, "it is put back")
    struck = now()
    lab.nodes["lb1"].terminate()
    wait_until(lambda: everything <= lab.network.addresses("lb2"), 10 * patience, "lb2 has all")
    moved = now() - struck
    say(
        f"{MANY6} IPv6 addresses: held {taken:.1f} s after the start, lease {lease['valid_life_time']} s, the "
        f"guardian at rest {share:.2%} of a core, moved in {moved * 1000:.0f} ms"
    )
    assert share <= share_within(0.01, patience)

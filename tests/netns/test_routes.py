"""Routes, rules and static addresses: they move with the virtual address, as keepalived moves them."""

import json
import os
import signal

import pytest

from lab.config import VIP, Pair
from lab.process import now, wait_until

PATHS = f"""
virtual_routes {{
    src {VIP} to 10.40.0.0/24 via 10.0.0.100 dev eth1
    10.41.0.0/24 via 10.0.0.100 metric 5
    10.42.0.0/24 nexthop via 10.0.0.100 dev eth1 weight 1 nexthop via 10.0.0.21 dev eth1 weight 3
    blackhole 10.43.0.0/24
    default via 10.0.0.100 table 100
    fd40::/64 via fd00::100 dev eth1
}}
virtual_rules {{
    from {VIP} table 100 preference 1000
    from fd00::/64 table 100 preference 1001
}}
"""
MOVING = Pair(version=3, advert_s=0.3, instance=PATHS)
OURS = ("10.40.", "10.41.", "10.42.", "10.43.", "fd40:")


def routes(lab, node):
    """What the node has of the above, in the words of `ip`, without whose they are."""
    found = set()
    for family in ("-4", "-6"):
        text = lab.network.ip(node, "-j", family, "route", "show", "table", "all")
        for route in json.loads(text or "[]"):
            if route["dst"].startswith(OURS) or route.get("table") == "100":
                hops = route.get("nexthops") or [route]
                found.add(
                    (route["dst"], route.get("type"), route.get("prefsrc"), route.get("table"))
                    + tuple(sorted(hop.get("gateway", "") for hop in hops))
                )
    return found


def rules(lab, node):
    found = set()
    for family in ("-4", "-6"):
        for rule in json.loads(lab.network.ip(node, "-j", family, "rule", "show") or "[]"):
            if rule["priority"] in (1000, 1001):
                found.add((rule["priority"], rule["src"], rule["table"]))
    return found


def paths(lab, node):
    return routes(lab, node), rules(lab, node)


NOTHING = (set(), set())


@pytest.mark.quick
def test_they_move(lab, patience, say):
    """Beside keepalived on the same file: the master has them, the other node has none of them."""
    lb1 = lab.tandem("lb1", MOVING)
    lab.classic("lb2", MOVING, proxy="")
    lab.start_pair(timeout=10 * patience)
    wait_until(lambda: len(routes(lab, "lb1")) == 6, patience, "lb1 has its routes")
    ours = paths(lab, "lb1")
    assert len(ours[1]) == 2
    assert paths(lab, "lb2") == NOTHING

    lb1.terminate()
    lab.watch.wait_holders(VIP, ["lb2"], 5 * patience)
    wait_until(lambda: paths(lab, "lb2") == ours, 2 * patience, lambda: f"{paths(lab, 'lb2')}, not {ours}")
    wait_until(lambda: paths(lab, "lb1") == NOTHING, 2 * patience, "lb1 has none left")

    lb1.start()
    lab.watch.wait_holders(VIP, ["lb1"], 10 * patience)
    wait_until(lambda: paths(lab, "lb1") == ours, 2 * patience, "lb1 has them again")
    wait_until(lambda: paths(lab, "lb2") == NOTHING, 2 * patience, "lb2 has none left")
    say(f"{len(ours[0])} routes and {len(ours[1])} rules moved to keepalived and back")


@pytest.mark.quick
def test_they_stay_and_go(lab, pair_of, patience, say):
    """Removed by somebody they come back; with the worker they go; what a killed daemon leaves, the next
    one removes."""
    lb1, _ = pair_of(MOVING)
    wait_until(lambda: len(routes(lab, "lb1")) == 6, patience, "lb1 has its routes")
    ours = paths(lab, "lb1")
    removed = now()
    lab.network.ip("lb1", "route", "del", "10.41.0.0/24")
    lab.network.ip("lb1", "-6", "route", "del", "fd40::/64")
    lab.network.ip("lb1", "rule", "del", "preference", "1000")
    wait_until(lambda: paths(lab, "lb1") == ours, 2 * patience, "they are put back")
    back = now() - removed
    assert lab.watch.holders(VIP) == ["lb1"]

    worker = lb1.worker()
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: lab.watch.holder(VIP) == "lb2", 3 * patience, "lb2 takes over")
    wait_until(lambda: paths(lab, "lb1") == NOTHING, patience, "the will removes them")
    lb1.wait_worker(10 * patience, other_than=worker)
    lab.watch.wait_holders(VIP, ["lb1"], 10 * patience)
    wait_until(lambda: paths(lab, "lb1") == ours, 2 * patience, "lb1 has them again")

    lb1.kill_all()
    lab.watch.wait_holders(VIP, ["lb2"], 6 * patience)
    left = {route[0] for route in routes(lab, "lb1")}
    assert "10.40.0.0/24" not in left, "a route goes with its source"
    assert "10.41.0.0/24" in left, "the kernel ends no IPv4 route by itself"
    expired = lab.network.exec("lb1", "ip", "-6", "route", "get", "fd40::1", check=False)
    assert "proto 84" not in expired, "an IPv6 route is no longer used after its lease"

    lb1.stop()
    lb1.start()
    wait_until(lambda: "predecessor left" in lb1.log_text(), 5 * patience, "it cleans up")
    lab.watch.wait_holders(VIP, ["lb1"], 10 * patience)
    wait_until(lambda: paths(lab, "lb1") == ours, 2 * patience, "lb1 has them again")
    say(f"put back after {back * 1000:.0f} ms; left by a killed daemon: {len(left)}, removed at its start")


STATIC = """
global_defs {
    vrrp_version 3
    default_interface eth1
}
static_ipaddress {
    10.0.1.11/24
    fd01::11/64 dev eth1
}
static_routes {
    10.45.0.0/24 via 10.0.1.1
}
static_rules {
    from 10.0.1.0/24 table 101 preference 1002
}
"""


def test_static(lab, patience):
    """They are there before anybody is master, come back when the interface is flushed, and go at the end."""
    pair = Pair(version=3, advert_s=0.1)
    text = STATIC + pair.vrrp().replace("global_defs {\n    vrrp_version 3\n}\n", "")
    lb1 = lab.tandem("lb1", pair, files=[("tandem.conf", text)])
    lb1.start()

    def there():
        return (
            {"10.0.1.11", "fd01::11"} <= lab.network.addresses("lb1")
            and "10.0.1.1" in lab.network.ip("lb1", "route", "show", "10.45.0.0/24")
            and "lookup 101" in lab.network.ip("lb1", "rule", "show")
        )

    wait_until(there, 5 * patience, "they are there")
    lab.watch.wait_holders(VIP, ["lb1"], 5 * patience)
    lab.network.ip("lb1", "addr", "flush", "dev", "eth1")
    wait_until(there, 5 * patience, "they are back")
    lab.network.ip("lb1", "addr", "add", "10.0.0.11/24", "dev", "eth1")
    assert lb1.stop() == []
    assert not {"10.0.1.11", "fd01::11"} & lab.network.addresses("lb1")
    assert lab.network.ip("lb1", "route", "show", "10.45.0.0/24") == ""
    assert "lookup 101" not in lab.network.ip("lb1", "rule", "show")
    lab.nodes = {}

"""Interfaces that come late, go and come back, and the TTL of what arrives on them."""

import dataclasses

import pytest

from lab.config import VIP, Pair
from lab.process import now, wait_until

MULTICAST = Pair(version=3, advert_s=0.1, unicast=False)
KINDS = {
    "multicast": MULTICAST,
    "vmac": dataclasses.replace(MULTICAST, instance="use_vmac"),
}


def _instance(node):
    status = node.status_json()
    return status["instances"][0] if status else {"state": "", "why": ""}


def _wait_fault(node, patience):
    wait_until(
        lambda: _instance(node)["state"] == "FAULT", 10 * patience, "the instance is in FAULT"
    )
    return _instance(node)["why"]


@pytest.mark.quick
@pytest.mark.parametrize("name", KINDS)
def test_interface_returns(lab, pair_of, patience, say, name):
    """The master's interface is removed and made anew: the other node serves meanwhile."""
    pair = KINDS[name]
    lb1, _ = pair_of(pair, proxy="")
    for _ in range(2):
        gone = now()
        lab.network.unplug("lb1")
        lab.watch.wait_holders(VIP, ["lb2"], (pair.down_s() + 4) * patience)
        took = now() - gone
        assert _wait_fault(lb1, patience) == "interface eth1 does not exist"
        lab.network.plug_in("lb1")
        back = now()
        lab.watch.wait_holders(VIP, ["lb1"], (pair.down_s() + 6) * patience)
        assert _instance(lb1)["state"] == "MASTER"
    say(
        f"{name}: interface removed, lb2 serves after {1000 * took:.0f} ms; "
        f"made anew, lb1 serves after {1000 * (now() - back):.0f} ms"
    )


def test_interface_is_late(lab, patience, say):
    """A node that starts without its interface is in FAULT, and takes part as soon as it is there."""
    lab.network.unplug("lb1")
    for name in ("lb1", "lb2"):
        lab.tandem(name, MULTICAST, proxy="")
    lab.start_pair("lb2", timeout=(MULTICAST.down_s() + 5) * patience)
    assert _wait_fault(lab.nodes["lb1"], patience) == "interface eth1 does not exist"
    lab.network.plug_in("lb1")
    began = now()
    lab.watch.wait_holders(VIP, ["lb1"], (MULTICAST.down_s() + 6) * patience)
    say(f"interface appears: lb1 serves after {1000 * (now() - began):.0f} ms")


def test_ttl(lab, patience, say):
    """Peers are told apart by how far away they are, and a TTL other than 255 is sent on request."""
    far = "unicast_ttl 60\nunicast_peer {\n    @lb1 10.0.0.12 min_ttl 60 max_ttl 64\n"
    far += "    @lb2 10.0.0.11 min_ttl 61\n}"
    pair = dataclasses.replace(MULTICAST, instance=far)
    capture = lab.capture("ttl")
    for name in ("lb1", "lb2"):
        lab.tandem(name, pair, proxy="")
    for node in lab.nodes.values():
        node.start()
    # lb2 does not believe lb1, whose TTL is one too low: both are master.
    lab.watch.wait_holders(VIP, ["lb1", "lb2"], (pair.down_s() + 5) * patience)

    def dropped(name):
        return _instance(lab.nodes[name])["drops"]["TTL outside of the peer's limits"]

    # tcpdump writes what it has once a second.
    wait_until(lambda: capture.packets("vrrp", "ip.src"), 10 * patience, "some are in the file")
    assert dropped("lb1") == 0 and dropped("lb2") > 0
    capture.stop()
    assert set(capture.packets("vrrp", "ip.ttl")) == {("60",)}
    say(f"TTL 60 where 61 is the least: {dropped('lb2')} dropped")

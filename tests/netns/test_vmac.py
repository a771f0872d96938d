"""use_vmac: the addresses live on an interface with the virtual router's MAC, made by the guardian."""

import dataclasses
import json

import pytest

from lab.config import VIP, VIP6, Pair
from lab.network import SWITCH
from lab.process import now, wait_until

V4 = Pair(version=3, advert_s=0.2, unicast=False, instance="use_vmac")
V6 = dataclasses.replace(V4, vip=VIP6)
MACS = {VIP: "00:00:5e:00:01:33", VIP6: "00:00:5e:00:02:33"}
NAMES = {VIP: "vrrp.51", VIP6: "vrrp6.51"}


def _links(lab, node):
    return {link["ifname"] for link in json.loads(lab.network.ip(node, "-j", "link"))}


def _settings(lab, node):
    names = ("arp_ignore", "arp_filter", "arp_announce")
    return [
        lab.network.exec(node, "sysctl", "-n", f"net.ipv4.conf.eth1.{name}").strip() for name in names
    ]


def _port(lab, mac):
    """The switch port behind which the switch believes a MAC to be."""
    table = json.loads(lab.network.exec(SWITCH, "bridge", "-j", "fdb", "show", "br", "br0"))
    return [entry["ifname"] for entry in table if entry["mac"] == mac]


def _neighbour(lab, address):
    """Whom the client sends to, if it wants to reach the address."""
    known = json.loads(lab.network.ip("client", "-j", "neigh", "show", address))
    return [entry["lladdr"] for entry in known]


@pytest.mark.parametrize("tandem_on", ["lb1", "lb2"], ids=["tandem-master", "tandem-backup"])
@pytest.mark.parametrize("pair", [V4, V6], ids=["v4", "v6"])
def test_with_keepalived(lab, patience, say, pair, tandem_on):
    """Both use it: the MAC moves, the neighbours notice nothing; afterwards nothing is left."""
    mac = MACS[pair.vip_address]
    proxy = "" if ":" in pair.vip_address else None
    before = _settings(lab, tandem_on)
    capture = lab.capture(f"vmac-{tandem_on}")
    for name in ("lb1", "lb2"):
        (lab.tandem if name == tandem_on else lab.classic)(name, pair, proxy)
    lb1, lb2 = lab.nodes["lb1"], lab.nodes["lb2"]
    lab.start_pair(timeout=(pair.down_s() + 8) * patience)
    assert NAMES[pair.vip_address] in _links(lab, tandem_on)
    wait_until(lambda: _port(lab, mac) == ["lb1"], 3 * patience, "the MAC is behind lb1")
    probe = proxy is None and lab.probe()
    if probe:
        probe.wait_ok(timeout=15 * patience)
        # keepalived asks its neighbours in the name of the VIP, from the MAC of the base.
        if tandem_on == "lb1":
            assert _neighbour(lab, pair.vip_address) == [mac]

    began = now()
    lb1.terminate()
    lab.watch.wait_holders(pair.vip_address, ["lb2"], (pair.down_s() + 3) * patience)
    wait_until(lambda: _port(lab, mac) == ["lb2"], 3 * patience, "the MAC is behind lb2")
    if probe:
        probe.wait_ok(timeout=15 * patience)
        if tandem_on == "lb2":
            assert _neighbour(lab, pair.vip_address) == [mac]
    resigned = now()
    lb1.stop()
    lb1.start()
    lab.watch.wait_holders(pair.vip_address, ["lb1"], (pair.down_s() + 8) * patience)
    wait_until(lambda: _port(lab, mac) == ["lb1"], 3 * patience, "the MAC is behind lb1")
    figures = ""
    if probe:
        probe.wait_ok(timeout=15 * patience)
        probe.stop()
        figures = f": resignation {probe.outage_ms(began, resigned):.0f} ms"
        figures += f", return {probe.outage_ms(resigned):.0f} ms"
    capture.stop()
    say(f"virtual MAC {mac} with keepalived, tandem on {tandem_on}{figures}")
    assert capture.faults() == []
    assert {sender for _, sender in capture.announcements(pair.vip_address)} == {mac}
    assert set(capture.packets("vrrp", "eth.src")) == {(mac,)}
    assert lab.stop_pair() == []
    assert NAMES[pair.vip_address] not in _links(lab, tandem_on)
    assert _settings(lab, tandem_on) == before


def test_life_of_the_interface(lab, pair_of, patience, say):
    """It survives a dead worker, is made again if it goes, and a killed daemon's is taken over."""
    lb1, _ = pair_of(V4)
    name = NAMES[VIP]
    began = now()
    lab.network.ip("lb1", "link", "del", name)
    wait_until(lambda: name in _links(lab, "lb1"), 3 * patience, "it is there again")
    lab.watch.wait_holders(VIP, ["lb1"], (V4.down_s() + 5) * patience)
    say(f"virtual interface deleted: in order after {1000 * (now() - began):.0f} ms")

    worker = lb1.worker()
    lab.network.exec("lb1", "kill", "-9", worker)
    lb1.wait_worker(5 * patience, other_than=worker)
    assert name in _links(lab, "lb1")
    lab.watch.wait_holders(VIP, ["lb1"], (V4.down_s() + 8) * patience)

    lb1.kill_all()
    lab.watch.wait_holders(VIP, ["lb2"], (V4.down_s() + 5) * patience)
    assert name in _links(lab, "lb1"), "nobody was left to remove it"
    lb1.start()
    lab.watch.wait_holders(VIP, ["lb1"], (V4.down_s() + 8) * patience)
    status = next(i for i in lb1.status_json()["instances"])
    assert status["vmac"] == name and status["state"] == "MASTER"
    assert lab.stop_pair() == []
    assert name not in _links(lab, "lb1") | _links(lab, "lb2")


def test_unicast_from_the_base(lab, pair_of, patience, say):
    """vmac_xmit_base: advertisements come from the interface's own MAC, addresses are on the virtual one."""
    pair = Pair(version=3, advert_s=0.2, instance="use_vmac\nvmac_xmit_base")
    capture = lab.capture("vmac-unicast")
    pair_of(pair)
    probe = lab.probe()
    probe.wait_ok(timeout=15 * patience)
    probe.stop()
    capture.stop()
    say("virtual MAC with unicast: advertisements come from the base")
    assert capture.faults() == []
    assert set(capture.packets("vrrp && ip.src == 10.0.0.11", "eth.src")) == {
        (lab.network.mac("lb1"),)
    }
    assert {sender for _, sender in capture.announcements(VIP)} == {MACS[VIP]}

"""Announcements, answers, strict mode and no_accept beside keepalived, on the wire."""

import json
import socket
import struct

import pytest

from lab.config import ADDRESSES, VIP, Pair
from lab.network import inside
from lab.node import Classic, Tandem
from lab.process import now, wait_until

# Each is alone in its virtual router: what the one does is compared with what the other does.
KEEPALIVED = Pair(password="", unicast=False, router_id=61, vip="10.0.0.61/32")
TANDEM = Pair(password="", unicast=False, router_id=62, vip="10.0.0.62/32")


def _text(pair, global_defs, instance):
    body = pair.vrrp().rstrip().removesuffix("}")
    return f"global_defs {{\nvip_lease 0\n{global_defs}\n}}\n{body}{instance}\n}}\n"


def _advert(pair, priority):
    """A version 2 advertisement, as another master of the same virtual router would send it."""
    head = struct.pack("!BBBBBBH", 0x21, pair.router_id, priority, 1, 0, 1, 0)
    pdu = bytearray(head + socket.inet_aton(pair.vip_address) + bytes(8))
    total = sum(struct.unpack(f"!{len(pdu) // 2}H", pdu))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    pdu[6:8] = struct.pack("!H", ~total & 0xFFFF)
    return bytes(pdu)


def _inject(lab, pair, priority):
    with inside(lab.network.namespace("client")):
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
    with sock:
        source = socket.inet_aton(ADDRESSES["client"])
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, source)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
        sock.sendto(_advert(pair, priority), ("224.0.0.18", 0))


def _both(lab, patience, global_defs, instance):
    """keepalived is master of its router on lb1, Tandem of its own on lb2."""
    lab.nodes["lb1"] = Classic(lab, "lb1", _text(KEEPALIVED, global_defs, instance))
    lab.nodes["lb2"] = Tandem(lab, "lb2", [("tandem.conf", _text(TANDEM, global_defs, instance))])
    for node in lab.nodes.values():
        node.start()
    lab.watch.wait_holders(KEEPALIVED.vip_address, ["lb1"], 8 * patience)
    lab.watch.wait_holders(TANDEM.vip_address, ["lb2"], 8 * patience)


def _wait(seconds, what):
    end = now() + seconds
    wait_until(lambda: now() >= end, seconds + 5, what)


def _bursts(times):
    """[(offset from the first, count)] of what came within a tenth of a second."""
    bursts = []
    for time in times:
        if bursts and time - bursts[-1][-1] < 0.1:
            bursts[-1].append(time)
        else:
            bursts.append([time])
    return [(round(burst[0] - times[0], 2), len(burst)) for burst in bursts]


SCHEDULES = {
    "chosen": (
        "vrrp_garp_lower_prio_repeat 2",
        "garp_master_delay 2\ngarp_master_repeat 3\ngarp_master_refresh 5\n"
        "garp_master_refresh_repeat 4\ngarp_lower_prio_delay 1",
    ),
    "min": ("vrrp_min_garp", ""),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_announcements(lab, patience, say, name):
    """Every burst of keepalived's is one of ours; beyond them only the rounds of a take-over."""
    capture = lab.capture(f"garp-{name}")
    _both(lab, patience, *SCHEDULES[name])
    _wait(3.2, "the schedule of becoming master is over")
    for pair in (KEEPALIVED, TANDEM):
        _inject(lab, pair, 50)
    _wait(3.5, "what follows a lower priority is over")
    capture.stop()
    theirs = _bursts([t for t, _ in capture.announcements(KEEPALIVED.vip_address)])
    ours = _bursts([t for t, _ in capture.announcements(TANDEM.vip_address)])
    say(f"announcements {name}: keepalived {theirs}, tandem {ours}")
    left = list(ours)
    more = 0 if name == "min" else 1  # a round may coincide
    for offset, count in theirs:
        match = [
            b for b in left if abs(b[0] - offset) < 0.6 * patience and 0 <= b[1] - count <= more
        ]
        assert match, f"no burst of {count} at {offset} s"
        left.remove(match[0])
    assert name != "min" or not left
    assert all(count == 1 for _, count in left)
    assert capture.faults() == []


@pytest.mark.parametrize("name", ["lower_prio_no_advert off", "lower_prio_no_advert", "strict_mode"])
def test_answer_to_a_lower_priority(lab, patience, say, name):
    """A master answers at once or leaves it be; in strict mode it does not announce either."""
    capture = lab.capture("answers")
    _both(lab, patience, "vrrp_min_garp", name)
    _wait(1.5, "becoming master is over")
    for pair in (KEEPALIVED, TANDEM):
        _inject(lab, pair, 50)
    _wait(2.5, "tcpdump has written it")
    capture.stop()
    seen = {}
    for pair in (KEEPALIVED, TANDEM):
        own = f"vrrp.virt_rtr_id == {pair.router_id}"
        adverts = capture.packets(own, "frame.time_epoch", "vrrp.prio")
        lower = next(i for i, (_, prio) in enumerate(adverts) if prio == "50")
        at = float(adverts[lower][0])
        answers = [t for t, prio in adverts[lower + 1 :] if prio != "50" and float(t) - at < 0.05]
        told = [t for t, _ in capture.announcements(pair.vip_address) if 0 < t - at < 0.5]
        seen[pair] = (len(answers), len(told))
    say(f"{name}: answers and announcements of keepalived {seen[KEEPALIVED]}, ours {seen[TANDEM]}")
    assert seen[TANDEM] == seen[KEEPALIVED]


def test_no_accept(lab, patience, say):
    """The address is found and routes, but takes no traffic, whichever of the two holds it."""
    pair = Pair(version=3, advert_s=0.2, unicast=False, instance="no_accept")
    lab.tandem("lb1", pair, proxy="")
    lab.classic("lb2", pair, proxy="")
    lab.start_pair(timeout=(pair.down_s() + 8) * patience)

    def reaches(address):
        argv = ["ping", "-c", "1", "-W", "1", address]
        return "1 received" in lab.network.exec("client", *argv, check=False)

    for holder, own in (("lb1", "10.0.0.11"), ("lb2", "10.0.0.12")):
        lab.watch.wait_holders(VIP, [holder], (pair.down_s() + 5) * patience)
        assert reaches(own) and not reaches(VIP)
        known = json.loads(lab.network.ip("client", "-j", "neigh", "show", VIP))
        assert [entry["lladdr"] for entry in known] == [lab.network.mac(holder)]
        if holder == "lb1":
            assert VIP in lab.network.exec("lb1", "nft", "list", "ruleset")
            assert lab.nodes["lb1"].stop() == []
            assert lab.network.exec("lb1", "nft", "list", "ruleset") == ""
    say("no_accept: the address answers ARP and nothing else, with keepalived likewise")


def test_pauses(lab, patience, say):
    """vrrp_garp_interval: one announcement after the other, and all of them (keepalived drops some)."""
    pair = Pair(version=3, advert_s=0.2, unicast=False)
    pauses = "global_defs {\nvrrp_garp_interval 0.1\nvip_lease 0\n}\n"
    lab.tandem("lb1", pair, files=[("tandem.conf", pauses + pair.vrrp())])
    lab.tandem("lb2", pair, proxy="")
    capture = lab.capture("pauses")
    lab.start_pair(timeout=(pair.down_s() + 8) * patience)
    wait_until(lambda: len(capture.announcements(VIP)) >= 5, 10 * patience, "five are in the file")
    capture.stop()
    times = [t for t, _ in capture.announcements(VIP)]
    gaps = [round(b - a, 3) for a, b in zip(times, times[1:])]
    say(f"vrrp_garp_interval 0.1: announced after {gaps[:4]} s")
    assert all(gap > 0.08 for gap in gaps[:4]) and times[4] - times[0] < 1.5 * patience

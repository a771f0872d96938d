"""Announcements, answers, strict mode and no_accept beside keepalived, on the wire."""

import dataclasses
import json
import socket
import struct

import pytest

from lab.config import ADDRESSES, VIP, Pair
from lab.margin import within
from lab.network import inside
from lab.node import Classic, Tandem
from lab.process import now, wait_until

# Each is alone in its virtual router: what the one does is compared with what the other does.
KEEPALIVED = Pair(password="", unicast=False, router_id=61, vip="10.0.0.61/32")
TANDEM = Pair(password="", unicast=False, router_id=62, vip="10.0.0.62/32")


def _text(pair, global_defs, instance):
    body = pair.vrrp().rstrip().removesuffix("}").replace("state BACKUP", "state MASTER")
    return f"global_defs {{\nvip_lease 0\n{global_defs}\n}}\n{body}{instance}\n}}\n"


def _advert(pair, priority):
    """A version 2 advertisement, as another master of the same virtual router would send it."""
    interval = int(pair.advert_s)
    head = struct.pack("!BBBBBBH", 0x21, pair.router_id, priority, 1, 0, interval, 0)
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


def _both(lab, patience, global_defs, instance, theirs=KEEPALIVED, ours=TANDEM):
    """keepalived is master of its router on lb1, Tandem of its own on lb2."""
    lab.nodes["lb1"] = Classic(lab, "lb1", _text(theirs, global_defs, instance))
    lab.nodes["lb2"] = Tandem(lab, "lb2", [("tandem.conf", _text(ours, global_defs, instance))])
    for node in lab.nodes.values():
        node.start()
    lab.watch.wait_holders(theirs.vip_address, ["lb1"], 8 * patience)
    lab.watch.wait_holders(ours.vip_address, ["lb2"], 8 * patience)


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


def _announced(capture, pair):
    times = [time for time, _ in capture.announcements(pair.vip_address)]
    return [time - times[0] for time in times]


# global_defs, instance; what keepalived announces when it becomes master and by the end, and what Tandem
# does: as much, and a round now and then after it has taken over.  How much a refresh adds, every 5 s.
SCHEDULES = {
    "chosen": (
        "vrrp_garp_lower_prio_repeat 2",
        "garp_master_delay 2\ngarp_master_repeat 3\ngarp_master_refresh 5\n"
        "garp_master_refresh_repeat 4\ngarp_lower_prio_delay 1",
        {KEEPALIVED: (6, 14), TANDEM: (10, 23)},
        4,
    ),
    "min": ("vrrp_min_garp", "", {KEEPALIVED: (1, 2), TANDEM: (1, 2)}, 1000),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_announcements(lab, patience, say, name):
    """Every burst of keepalived's has one of ours; beyond them only the rounds of a take-over."""
    *settings, counts, refresh = SCHEDULES[name]
    capture = lab.capture(f"garp-{name}")
    _both(lab, patience, *settings)

    def wait_announced(when):
        for pair, wanted in counts.items():
            what = f"{wanted[when]} announcements of {pair.vip_address}"
            wait_until(lambda p=pair, n=wanted[when]: len(_announced(capture, p)) >= n, 10, what)

    _wait(3.2, "the schedule of becoming master is over")
    wait_announced(0)
    for pair in (KEEPALIVED, TANDEM):
        _inject(lab, pair, 50)
    _wait(3.5, "what follows a lower priority is over")
    wait_announced(1)
    capture.stop()
    theirs, ours = _announced(capture, KEEPALIVED), _announced(capture, TANDEM)
    say(f"announcements {name}: keepalived {_bursts(theirs)}, tandem {_bursts(ours)}")
    assert (len(theirs) - counts[KEEPALIVED][1]) % refresh == 0
    assert (len(ours) - counts[TANDEM][1]) % refresh == 0
    for offset, count in _bursts(theirs):
        if offset > 9:  # the end may have cut off our second refresh
            break
        near = [other for other in ours if abs(other - offset) * 1000 < within(0, patience)]
        assert len(near) >= count, f"no burst of {count} at {offset} s"
    assert capture.faults() == []


ANSWERS = {"lower_prio_no_advert off": (1, 1), "lower_prio_no_advert": (0, 1), "strict_mode": (0, 0)}


@pytest.mark.parametrize("name, wanted", ANSWERS.items())
def test_answer_to_a_lower_priority(lab, patience, say, name, wanted):
    """A master answers at once or leaves it be; in strict mode it does not announce either."""
    # Owners are masters at once, and advertise so rarely that nothing is taken for an answer.
    pairs = [
        dataclasses.replace(pair, priority=(255, 255), advert_s=20) for pair in (KEEPALIVED, TANDEM)
    ]
    capture = lab.capture("answers")
    _both(lab, patience, "vrrp_min_garp", name, *pairs)
    _wait(1, "becoming master is over")
    for pair in pairs:
        _inject(lab, pair, 50)
    _wait(1, "the answers are there")
    capture.stop()
    seen = []
    for pair in pairs:
        own = f"vrrp.virt_rtr_id == {pair.router_id}"
        adverts = capture.packets(own, "frame.time_epoch", "vrrp.prio")
        lower = next(i for i, (_, prio) in enumerate(adverts) if prio == "50")
        at = float(adverts[lower][0])
        told = [t for t, _ in capture.announcements(pair.vip_address) if t > at]
        seen.append((len(adverts) - lower - 1, len(told)))
    say(f"{name}: answers and announcements of keepalived {seen[0]}, ours {seen[1]}")
    assert seen[0] == seen[1] == wanted


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
    # Whatever delays one shortens the gap to the next, and no other.
    assert sorted(gaps[:4])[1] > 0.05 and 1000 * (times[4] - times[0]) < within(400, patience)

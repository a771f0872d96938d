"""keepalived 2.2.7 as the other node, in both roles, on every transport."""

import dataclasses
import re

import pytest

from lab.config import ADDRESSES, Pair
from lab.margin import within
from lab.process import now, wait_until

TRANSPORTS = {
    "v2-unicast": Pair(),
    "v2-multicast": Pair(unicast=False),
    "v3-unicast": Pair(version=3, advert_s=0.2),
    "v3-multicast": Pair(version=3, advert_s=0.2, unicast=False),
}


def _make(lab, pair, tandem_on, proxy=None):
    for name in ("lb1", "lb2"):
        if name == tandem_on:
            lab.tandem(name, pair, proxy)
        else:
            lab.classic(name, pair, proxy)
    return lab.nodes["lb1"], lab.nodes["lb2"]


@pytest.mark.parametrize("end", ["SIGTERM", "SIGKILL"])
@pytest.mark.parametrize("tandem_on", ["lb1", "lb2"], ids=["tandem-master", "tandem-backup"])
@pytest.mark.parametrize("name", TRANSPORTS)
def test_keepalived(lab, patience, say, name, tandem_on, end):
    """The master ends, the other takes over, the master returns and has the address again."""
    pair = TRANSPORTS[name]
    capture = lab.capture(f"{name}-{tandem_on}-{end}")
    master, backup = _make(lab, pair, tandem_on)
    lab.start_pair(timeout=(pair.down_s() + 6) * patience)
    tandem = lab.nodes[tandem_on]
    probe = lab.probe()
    probe.wait_ok(timeout=15 * patience)

    ended = now()
    if end == "SIGTERM":
        master.terminate()
    else:
        master.kill_all()
    wait_until(
        lambda: "lb2" in lab.watch.holders(lab.vip), (pair.down_s() + 2) * patience, "lb2 takes over"
    )
    probe.wait_ok(timeout=15 * patience)
    master.stop()  # also clears the address a killed keepalived leaves behind
    lab.watch.wait_holders(lab.vip, ["lb2"], 5 * patience)
    returned = now()
    master.start()
    lab.watch.wait_holders(lab.vip, ["lb1"], (pair.down_s() + 6) * patience)
    probe.wait_ok(timeout=15 * patience)
    done = now()
    probe.stop()
    capture.stop()

    outage = probe.outage_ms(ended - 0.3, returned)
    say(
        f"{name}, {'tandem' if tandem_on == 'lb1' else 'keepalived'} master, {end}: "
        f"{len(probe.launches)} probes, {len(probe.failed())} failed, outage {outage:.0f} ms, "
        f"return {probe.outage_ms(returned, done):.0f} ms, on {lab.watch.holder(lab.vip)}; failures while "
        f"it was away: {probe.words(ended - 0.3, returned) or 'none'}, then: {probe.words(returned) or 'none'}"
    )
    assert capture.faults() == []
    assert not re.search(r"(?i)bad|mismatch|incorrect|invalid|discard", _words(lab, tandem_on)), (
        "keepalived complains about what it receives"
    )
    mine = ADDRESSES[tandem_on]
    destination = ADDRESSES["lb2" if tandem_on == "lb1" else "lb1"]
    assert {a[2] for a in capture.adverts(mine)} == {destination if pair.unicast else "224.0.0.18"}
    if tandem_on == "lb1":
        resignations = capture.adverts(mine, priority=0)
        assert len(resignations) == (1 if end == "SIGTERM" else 0)
        if end == "SIGTERM":
            assert outage <= within(50, patience), "make before break"
    if end == "SIGKILL":
        assert outage <= within(pair.down_s() * 1000 + 100, patience)
    assert tandem.alive


def _words(lab, tandem_on):
    """What keepalived logged about packets (not about its own files or scripts)."""
    other = lab.nodes["lb2" if tandem_on == "lb1" else "lb1"]
    return "\n".join(
        line
        for line in other.log_text().splitlines()
        if ("VI_1" in line or "ADVERT" in line) and "lower priority" not in line
    )


@pytest.mark.parametrize("tandem_on", ["lb1", "lb2"], ids=["tandem-master", "tandem-backup"])
def test_tie_with_keepalived(lab, patience, say, tandem_on):
    """Equal priorities after a split: both programs agree that the higher address stays."""
    pair = dataclasses.replace(TRANSPORTS["v3-unicast"], priority=(100, 100))
    _make(lab, pair, tandem_on, proxy="")  # with one, the node that is cut off would yield
    lab.network.port("lb2", False)
    for node in lab.nodes.values():
        node.start()
    lab.watch.wait_holders(lab.vip, ["lb1", "lb2"], 8 * patience)
    lab.network.port("lb2", True)
    lab.watch.wait_holders(lab.vip, ["lb2"], 5 * patience)
    say(f"tie with keepalived, tandem on {tandem_on}: lb2 stays master")

"""Who is master, and when that changes: priorities, ties, preemption, on every transport."""

import re

import pytest

from lab import config
from lab.config import ADDRESSES, Pair
from lab.margin import within
from lab.process import now, wait_until

TRANSPORTS = {
    "v2-multicast-pass": Pair(unicast=False),
    "v2-unicast-pass": Pair(),
    "v2-multicast-none": Pair(unicast=False, password=""),
    "v3-multicast": Pair(version=3, advert_s=0.1, unicast=False),
    "v3-unicast": Pair(version=3, advert_s=0.1),
    "v3-unicast-10ms": Pair(version=3, advert_s=0.01),
}


def assert_clean_wire(capture):
    assert capture.faults() == [], "tshark finds fault with these packets"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.quick) if name.startswith("v3") else name
        for name in TRANSPORTS
    ],
)
def test_election(lab, pair_of, patience, say, name):
    """The higher priority is master, resigns on SIGTERM, and has the address again on return."""
    pair = TRANSPORTS[name]
    capture = lab.capture(name)
    lb1, lb2 = pair_of(pair)
    probe = lab.probe()
    probe.wait_ok(timeout=15 * patience)

    began = now()
    lb1.terminate()
    lab.watch.wait_holders(lab.vip, ["lb2"], (pair.down_s() + 2) * patience)
    probe.wait_ok()
    assert lb1.process.wait_gone(3 * patience) == 0
    resigned = now()
    lb1.start()
    lab.watch.wait_holders(lab.vip, ["lb1"], (pair.down_s() + 5) * patience)
    probe.wait_ok()
    end = now()
    probe.stop()
    capture.stop()

    say(
        f"{name}: {len(probe.launches)} probes, {len(probe.failed())} failed, "
        f"resignation {probe.outage_ms(began, resigned):.0f} ms, "
        f"return {probe.outage_ms(resigned, end):.0f} ms, on {lab.watch.holder(lab.vip)}"
    )
    said = re.findall(r"]: (\(VI_1\) (?:Entering|sent) .*)$", lb2.log_text(), re.M)
    init, master, backup = (
        "(VI_1) Entering BACKUP STATE (init)",
        "(VI_1) Entering MASTER STATE",
        "(VI_1) Entering BACKUP STATE",
    )
    # At short intervals lb2 may have been master before lb1 was there.
    assert said in (
        [init, master, backup],
        [init, master, backup, master, backup],
    ), "to the letter what keepalived says, for who reads its log"
    assert_clean_wire(capture)
    adverts = capture.adverts()
    wanted = ADDRESSES["lb2"] if pair.unicast else "224.0.0.18"
    assert {a[2] for a in adverts if a[1] == ADDRESSES["lb1"]} == {wanted}
    assert {a[3] for a in adverts} == {pair.version}
    assert len(capture.adverts(ADDRESSES["lb1"], priority=0)) == 1, "one resignation"
    assert capture.adverts(ADDRESSES["lb2"], priority=100), "the backup was master in between"
    assert {mac for _, mac in capture.announcements(lab.vip)} and len(
        {mac for _, mac in capture.announcements(lab.vip)}
    ) == 2, "both announced the address with their own MAC"
    assert probe.outage_ms(began, resigned) <= within(50, patience)
    assert probe.outage_ms(resigned, end) <= within(50, patience)


@pytest.mark.quick
def test_equal_priorities(lab, patience, fast, say):
    """After a split both are master: the higher address keeps the role."""
    pair = fast(priority=(100, 100))
    for name in ("lb1", "lb2"):
        lab.tandem(name, pair, proxy="")  # a node that is cut off from its servers would yield
    lab.network.port("lb2", False)
    for node in lab.nodes.values():
        node.start()
    lab.watch.wait_holders(lab.vip, ["lb1", "lb2"], 5 * patience)
    lab.network.port("lb2", True)
    healed = now()
    lab.watch.wait_holders(lab.vip, ["lb2"], 2 * patience)
    say(f"equal priorities: lb2 alone {1000 * (now() - healed):.0f} ms after the split ended")


@pytest.mark.quick
def test_nopreempt(lab, pair_of, patience, fast, say):
    """With nopreempt the returning node stays backup, and takes over when it must."""
    pair = fast(instance="nopreempt")
    lb1, lb2 = pair_of(pair)
    lb1.terminate()
    lab.watch.wait_holders(lab.vip, ["lb2"], 3 * patience)
    lb1.process.wait_gone(3 * patience)
    returned = now()
    lb1.start()
    wait_until(lambda: "Entering BACKUP STATE" in lb1.log_text().rpartition("MASTER STATE")[2],
               5 * patience, "lb1 is backup")  # fmt: skip
    # Ten intervals in which it would have preempted three times over.
    wait_until(lambda: now() - returned > 10 * pair.advert_s + 1, 5, "ten intervals")
    assert not [e for e in lab.watch.events(lab.vip, returned) if e[1] == "lb1"]
    lb2.kill_all()
    wait_until(lambda: "lb1" in lab.watch.holders(lab.vip), 3 * patience, "lb1 takes over")
    lab.watch.wait_holders(lab.vip, ["lb1"], (config.LEASE_S + 1) * patience)
    say(f"nopreempt: lb2 kept {lab.vip} when lb1 returned, lb1 took it when lb2 died")


def test_preempt_delay(lab, pair_of, patience, fast, say):
    """With preempt_delay the returning node waits that long first."""
    pair = fast(instance="preempt_delay 2")
    lb1, _ = pair_of(pair)
    lb1.terminate()
    lab.watch.wait_holders(lab.vip, ["lb2"], 3 * patience)
    lb1.process.wait_gone(3 * patience)
    returned = now()
    lb1.start()
    lab.watch.wait_holders(lab.vip, ["lb1"], (2 + pair.down_s() + 3) * patience)
    taken = [e[0] for e in lab.watch.events(lab.vip, returned) if e[1] == "lb1" and e[3]][0]
    say(f"preempt_delay 2: taken back {1000 * (taken - returned):.0f} ms after the start")
    assert 1900 <= 1000 * (taken - returned) <= within(2000 + 1000 * pair.down_s(), patience)


@pytest.mark.quick
@pytest.mark.parametrize("priority", [(150, 100), (100, 100)])
def test_started_together(lab, patience, fast, say, priority):
    """Row 15: both nodes at once, again and again: exactly one master each time."""
    pair = fast(priority=priority)
    masters = []
    for _ in range(5):
        for name in ("lb1", "lb2"):
            lab.tandem(name, pair)
        for node in lab.nodes.values():
            node.start()
        wait_until(lambda: lab.watch.holders(lab.vip), 5 * patience, "somebody is master")
        # A tie is settled by the first exchange; after that nothing may move.
        began = now()
        wait_until(lambda: now() - began > 2 * pair.advert_s, 5, "two intervals")
        wait_until(lambda: len(lab.watch.holders(lab.vip)) == 1, 5 * patience, "one master")
        settled, began = lab.watch.holders(lab.vip), now()
        wait_until(lambda: now() - began > 3 * pair.advert_s, 5, "three intervals")
        assert lab.watch.holders(lab.vip) == settled
        assert not lab.watch.events(lab.vip, began)
        masters += settled
        assert lab.stop_pair() == []
    if priority[0] != priority[1]:
        assert set(masters) == {"lb1"}
    say(f"row  15 started together, priorities {priority}: masters {' '.join(masters)}")

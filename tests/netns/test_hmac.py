"""auth_hmac: a pair that signs, and somebody on the link who would like to take part."""

import dataclasses
import os
import signal

import pytest

from lab.attacker import Attacker
from lab.config import VIP6, Pair
from lab.margin import within
from lab.process import now, wait_until

KEYS = {1: bytes(range(32)), 2: b"another key, 32 octets of text.."}
WINDOW_S = 4
SECOND = 1 << 32

V3 = Pair(version=3, advert_s=0.3)
CASES = {
    "v2 unicast": Pair(),
    "v3 multicast": dataclasses.replace(V3, unicast=False),
    "v3 IPv6 unicast": dataclasses.replace(V3, vip=VIP6),
    "v3 IPv6 multicast": dataclasses.replace(V3, unicast=False, vip=VIP6),
}
QUICK = {"v3 IPv6 multicast"}


@pytest.fixture(autouse=True)
def _no_tentative_addresses(lab, patience):
    """Until its link-local address is known to be unique, a node takes no part in IPv6."""

    def tentative(name):
        return lab.network.ip(name, "-6", "addr", "show", "tentative").strip()

    wait_until(lambda: not any(map(tentative, ("lb1", "lb2"))), 5 * patience, "addresses are ours")


def with_hmac(lab, pair, active=1, mode="enforce"):
    """The pair, signing; one key stands in a file of its own."""
    path = os.path.join(lab.directory, "vrrp.key")
    with open(path, "w", opener=lambda p, flags: os.open(p, flags, 0o600), encoding="utf-8") as file:
        file.write(f"hex:{KEYS[1].hex()}\n")
    lines = [f"key 1 file:{path}", f'key 2 "{KEYS[2].decode()}"', f"active_key {active}"]
    lines += [f"time_window {WINDOW_S}", f"mode {mode}"]
    block = "auth_hmac {\n" + "".join(f"    {line}\n" for line in lines) + "}"
    return dataclasses.replace(pair, password="", instance=block)


def instance(node):
    """What the only one is like; a busy or new worker may take its time."""
    return wait_until(node.status_json, 10, f"{node.name} answers")["instances"][0]


def drops(node):
    return instance(node)["drops"]


def source_of(lab, name):
    """Once its interface is ready."""
    return wait_until(lambda: instance(lab.nodes[name])["source"], 10, f"{name} has an address")


@pytest.fixture
def attacker(lab):
    attacker = Attacker(lab.network)
    yield attacker
    attacker.close()


def check_signed(adverts):
    """Every one is signed, and no sequence comes twice or goes back."""
    assert [a for a in adverts if a.trailer is None or not a.is_signed_by(KEYS)] == []
    for source in {a.source for a in adverts}:
        sequences = [a.sequence for a in adverts if a.source == source]
        assert sequences == sorted(set(sequences)), f"sequences of {source}"


class Count:
    """What a node has refused since, by reason; waits until it was as much as was sent."""

    def __init__(self, node, patience):
        self.node, self.patience, self.before, self.sent = node, patience, drops(node), {}

    def add(self, reason):
        self.sent[reason] = self.sent.get(reason, 0) + 1

    def wait(self):
        for reason, count in self.sent.items():
            wait_until(
                lambda r=reason, c=count: drops(self.node)[r] - self.before[r] >= c,
                5 * self.patience,
                lambda r=reason, c=count: f"{self.node.name} refuses {c}: {r}; {drops(self.node)}",
            )
        after = drops(self.node)
        after["our own"] = self.before["our own"]  # what claims to be from here
        changed = {r: n - self.before[r] for r, n in after.items() if n != self.before[r]}
        assert changed == self.sent


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.quick) if n in QUICK else n for n in CASES]
)
def test_attacks(lab, pair_of, attacker, patience, say, name):
    """Replayed, late, forged, unsigned: each is counted, none changes anything."""
    pair = with_hmac(lab, CASES[name])
    capture = lab.capture("hmac")
    lb1, lb2 = pair_of(pair)
    sources = {node: source_of(lab, node) for node in ("lb1", "lb2")}
    adverts = attacker.hear(3, sources["lb1"], 10 * patience)
    before = [len(n.status_json()["transitions"]) for n in (lb1, lb2)]
    began, counts = now(), {"lb1": Count(lb1, patience), "lb2": Count(lb2, patience)}

    def send(victim, advert, reason):
        counts[victim].add(reason)
        if not pair.unicast:  # whoever did not send it hears it, too
            other = "lb2" if victim == "lb1" else "lb1"
            if sources[other] != advert.source:
                counts[other].add(reason)
        attacker.send(advert, victim)

    fresh = attacker.hear(1, sources["lb1"], 5 * patience)[-1]
    for _ in range(3):
        send("lb2", fresh, "replayed")
    for priority in (0, 1, 255):
        send("lb2", fresh.changed(priority=priority), "wrong signature")
        send("lb2", fresh.changed(priority=priority, trailer=b""), "not signed")
        to = sources["lb1"] if pair.unicast else fresh.to
        forged = fresh.changed(priority=priority, source=sources["lb2"], to=to)
        send("lb1", forged, "wrong signature")
        send("lb1", forged.changed(trailer=b""), "not signed")
    later = fresh.sequence + SECOND
    send("lb2", fresh.changed(priority=0).signed(9, KEYS[1], later), "signed with an unknown key")
    send("lb2", fresh.changed(priority=0).signed(1, KEYS[2], later), "wrong signature")
    other_kind = bytes([2]) + fresh.trailer[1:]
    send("lb2", fresh.changed(trailer=other_kind), "unknown kind of signature")
    wait_until(
        lambda: now() - adverts[0].heard > WINDOW_S + 1.2, 10 * patience, "the first one is late"
    )
    send("lb2", adverts[0], "signed outside the time window")
    future = fresh.changed(priority=0).signed(1, KEYS[1], later + (WINDOW_S + 5) * SECOND)
    send("lb2", future, "signed outside the time window")
    for count in counts.values():
        count.wait()

    assert [len(n.status_json()["transitions"]) for n in (lb1, lb2)] == before
    assert lab.watch.events(pair.vip_address, began) == []
    assert lab.watch.holders(pair.vip_address) == ["lb1"]
    check_signed(attacker.adverts)
    speakers = {a.source for a in attacker.adverts if a.heard > began}
    assert speakers == {sources["lb1"]}, "nobody but the master has said anything"
    capture.stop()
    shown = lb2.status()
    assert "auth_hmac enforce, key 1; the peer signs with key 1" in shown
    assert "wrong signature" in shown
    assert KEYS[1].hex() not in shown + lb1.log_text() + lb2.log_text()
    say(f"{name}: {sum(sum(c.sent.values()) for c in counts.values())} refused, nothing changed")


@pytest.mark.quick
def test_restarts(lab, pair_of, attacker, patience, say):
    """The will is signed and no replay; marks and sequences survive both workers."""
    pair = with_hmac(lab, V3)
    lb1, lb2 = pair_of(pair)
    ours = source_of(lab, "lb1")
    attacker.hear(2, ours, 5 * patience)
    before, worker = instance(lb2), lb1.worker()

    killed = now()
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: "lb2" in lab.watch.holders(lab.vip), 3 * patience, "lb2 takes over")
    took = [e[0] for e in lab.watch.events(lab.vip, killed) if e[1] == "lb2"][0] - killed
    will = [a for a in attacker.adverts if a.source == ours and a.priority == 0]
    assert len(will) == 1, "one will"
    assert instance(lb2)["counters"]["resigns_received"] == 1, "it was believed"
    lb1.wait_worker(5 * patience, other_than=worker)
    lab.watch.wait_holders(lab.vip, ["lb1"], (pair.down_s() + 8) * patience)
    attacker.hear(2, ours, 5 * patience)
    assert drops(lb2) == before["drops"], "nothing of the new worker is a replay"
    check_signed(attacker.adverts)

    # The backup's successor has never heard the master, but its guardian knows what was heard.
    stale = attacker.hear(2, ours, 5 * patience)[0]
    worker = lb2.worker()
    os.kill(worker, signal.SIGKILL)
    lb2.wait_worker(5 * patience, other_than=worker)
    instance(lb2)
    attacker.send(stale, "lb2")
    wait_until(
        lambda: drops(lb2)["replayed"] + drops(lb2)["signed outside the time window"] == 1,
        5 * patience,
        "what its predecessor has heard is refused",
    )
    assert took * 1000 <= within(50, patience)
    say(f"signed will, taken over in {1000 * took:.0f} ms; sequences go on after each restart")


@pytest.mark.quick
def test_change_of_key(lab, patience, attacker, say):
    """One node after the other signs with the other key; each hears what is signed with either."""
    pair = dataclasses.replace(V3, priority=(100, 100))
    lab.tandem("lb1", with_hmac(lab, pair))
    lab.tandem("lb2", with_hmac(lab, pair, active=2))
    for node in lab.nodes.values():
        node.start()
    wait_until(lambda: len(lab.watch.holders(lab.vip)) == 1, 10 * patience, "one master")
    seen = set()
    for _ in range(2):
        holder = lab.watch.holder(lab.vip)
        master, backup = lab.nodes[holder], lab.nodes["lb2" if holder == "lb1" else "lb1"]
        heard = attacker.hear(3, source_of(lab, holder), 5 * patience)
        seen |= {a.trailer[1] for a in heard}
        wait_until(
            lambda: instance(backup)["auth_hmac"]["peer_key"] == heard[-1].trailer[1],
            5 * patience,
            "the backup knows the master's key",
        )
        master.terminate()
        lab.watch.wait_holders(lab.vip, [backup.name], (pair.down_s() + 3) * patience)
        assert master.process.wait_gone(3 * patience) == 0
        master.start()
        instance(master)
        lab.watch.wait_holders(lab.vip, [backup.name], 3 * patience)
    check_signed(attacker.adverts)
    assert seen == {1, 2}
    refused = {
        reason: count
        for node in lab.nodes.values()
        for reason, count in drops(node).items()
        if count and "sign" in reason
    }
    assert refused == {}
    say("one node signs with key 1, the other with key 2: each follows the other")


def test_first_signatures(lab, patience, say):
    """receive-only beside permissive beside enforce: a pair gets along at every step."""
    steps = [("receive-only", "receive-only"), ("permissive", "receive-only"), ("enforce", "permissive")]
    taken = []
    for one, other in steps:
        lab.tandem("lb1", with_hmac(lab, V3, mode=one))
        lab.tandem("lb2", with_hmac(lab, V3, mode=other))
        lab.start_pair(timeout=(V3.down_s() + 8) * patience)
        lb1, lb2 = lab.nodes["lb1"], lab.nodes["lb2"]
        wait_until(
            lambda: instance(lb2)["counters"]["adverts_received"] >= 3, 5 * patience, "lb2 hears lb1"
        )
        assert instance(lb2)["state"] == "BACKUP"
        taken.append(instance(lb2)["auth_hmac"]["unsigned_taken"] > 0)
        lb1.terminate()
        lab.watch.wait_holders(lab.vip, ["lb2"], (V3.down_s() + 3) * patience)
        assert lb1.process.wait_gone(3 * patience) == 0
        assert lab.stop_pair() == []
    assert taken == [True, False, False]
    say("receive-only, permissive, enforce: each takes over from the one before it")

"""keepalived and HAProxy files found in the field run as they are, on both nodes.

configs/ holds them as their authors published them, placeholders filled in: cluster-web (multicast,
equal priorities), multi-region (another network on eth0, notify scripts that do not exist) and
unicast-pair.
"""

import dataclasses
import pathlib

import pytest

from lab.config import Pair
from lab.lab import PAIR
from lab.margin import within
from lab.process import now, wait_until

CONFIGS = pathlib.Path(__file__).parent / "configs"


@dataclasses.dataclass(frozen=True)
class Field:
    interface: str
    vip: str
    extra: dict
    master: str  # "" where priorities tie
    prefix: int = 32


FIELDS = {
    "cluster-web": Field("eth1", "10.0.0.10", {}, ""),
    "multi-region": Field(
        "eth0",
        "10.0.1.100",
        {"lb1": ["10.0.1.1/24"], "lb2": ["10.0.1.2/24"], "client": ["10.0.1.200/24"]},
        "lb1",
        24,
    ),
    "unicast-pair": Field("eth0", "10.0.0.10", {}, "lb1"),
}


@pytest.fixture
def lab(request):
    """The network with the interface names and addresses the files expect."""
    from conftest import make_lab

    field = FIELDS[request.node.callspec.params["name"]]
    with make_lab(request) as lab:
        lab.up(field.interface, field.extra)
        yield lab
        assert lab.stop_pair() == []


@pytest.mark.parametrize("files", ["two-files", "one-file"])
@pytest.mark.parametrize("name", FIELDS)
def test_field(lab, patience, say, name, files):
    field = FIELDS[name]
    haproxy = (CONFIGS / "haproxy.cfg").read_text(encoding="utf-8")
    for node in PAIR:
        keepalived = (CONFIGS / f"{name}.{node}.keepalived.conf").read_text(encoding="utf-8")
        if files == "two-files":
            texts = [("keepalived.conf", keepalived), ("haproxy.cfg", haproxy)]
        else:
            texts = [("tandem.conf", keepalived + haproxy)]
        lab.tandem(node, Pair(vip=f"{field.vip}/{field.prefix}"), files=texts)
    for node in lab.nodes.values():
        node.start()
    wait_until(lambda: len(lab.watch.holders(lab.vip)) == 1, 15 * patience, "one master")
    probe = lab.probe()
    probe.wait_ok(timeout=20 * patience)
    if field.master:
        lab.watch.wait_holders(lab.vip, [field.master], 15 * patience)
    (master,) = lab.watch.holders(lab.vip)
    other = "lb2" if master == "lb1" else "lb1"
    assert {entry[3] for entry in probe.launches if entry[1]} == {"web1", "web2"}
    # The address is there exactly as the file writes it.
    text = lab.network.ip(master, "-4", "addr", "show", "dev", field.interface)
    assert f"inet {field.vip}/{field.prefix} " in text

    ended = now()
    lab.nodes[master].terminate()
    lab.watch.wait_holders(lab.vip, [other], 8 * patience)
    probe.wait_ok()
    done = now()
    probe.stop()
    outage = probe.outage_ms(ended - 0.3, done)
    say(
        f"{name}, {files}: {len(probe.launches)} probes, {len(probe.failed())} failed, "
        f"{master} resigned in {outage:.0f} ms, on {lab.watch.holder(lab.vip)}"
    )
    assert outage <= within(50, patience)

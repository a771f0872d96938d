"""Sync groups: two instances on two links move as one, beside a Tandem and beside keepalived."""

import contextlib
import dataclasses
import os
import pathlib

import pytest

from lab.config import Pair
from lab.lab import PAIR
from lab.process import now, wait_until

VIPS = ("10.0.0.10", "10.0.1.10")


@dataclasses.dataclass(frozen=True)
class Grouped(Pair):
    """VI_1 on eth1 and VI_2 on eth2 in group G."""

    head: str = ""
    group: str = ""
    directory: str = ""

    def vrrp(self):
        lines = ["global_defs {", "    vrrp_version 3", "    script_user root"]
        for node in PAIR:
            lines.append(f"    @{node} vrrp_notify_fifo {self.directory}/{node}.fifo")
        lines += ["}", self.head, "vrrp_sync_group G {", "    group {", "        VI_1"]
        lines += ["        VI_2", "    }", self.group, "}"]
        for i in (1, 2):
            lines += [
                f"vrrp_instance VI_{i} {{",
                f"    interface eth{i}",
                f"    virtual_router_id {50 + i}",
                f"    @lb1 priority {self.priority[0]}",
                f"    @lb2 priority {self.priority[1]}",
                f"    advert_int {self.advert_s:g}",
                "    virtual_ipaddress {",
                f"        {VIPS[i - 1]}/32",
                "    }",
                "}",
            ]
        return "\n".join(lines + [""])


class Fifo:
    """The states that a node writes; here before the writer, so that none is lost."""

    def __init__(self, lab, node):
        path = pathlib.Path(lab.directory) / f"{node}.fifo"
        os.mkfifo(path, 0o600)
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._text = ""

    def lines(self):
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._fd, 65536):
                self._text += data.decode()
        # An advertisement that crossed a take-over is told as well.
        return [line for line in self._text.splitlines() if "MASTER_RX_LOWER_PRI" not in line]

    def close(self):
        os.close(self._fd)


def _wait(lab, node, timeout):
    """Both addresses are on that node and on no other."""
    began = now()
    for vip in VIPS:
        lab.watch.wait_holders(vip, [node], timeout)
    return now() - began


def _make(lab, pair, kinds):
    lab.network.second(
        {node: ("eth2", [f"10.0.1.{11 + i}/24"]) for i, node in enumerate(PAIR)}
    )
    for node, kind in zip(PAIR, kinds):
        getattr(lab, kind)(node, pair, proxy="")


@pytest.mark.parametrize("kinds", [("tandem", "tandem"), ("tandem", "classic"), ("classic", "tandem")])
def test_moves_as_one(lab, patience, say, kinds):
    """A link that fails, a check that lowers the priority, an end: both addresses move each time."""
    broken = f"{lab.directory}/broken"
    pair = Grouped(
        version=3,
        advert_s=0.2,
        unicast=False,
        directory=lab.directory,
        head=f'vrrp_script chk {{\n    @lb1 script "/usr/bin/test ! -e {broken}"\n'
        '    @lb2 script "/usr/bin/true"\n    interval 1\n    timeout 10\n    weight -100\n}',
        group="    track_script {\n        chk\n    }",
    )
    fifos = [Fifo(lab, node) for node in PAIR]
    _make(lab, pair, kinds)
    bound = (pair.down_s() + 6) * patience
    lab.start_pair(timeout=bound)
    _wait(lab, "lb1", bound)

    began = now()
    lab.network.ip("lb1", "link", "set", "eth2", "down")
    _wait(lab, "lb2", bound)
    link = now() - began
    if kinds[0] == "tandem":
        one, two = lab.nodes["lb1"].status_json()["instances"]
        assert one["why"] == "group G: VI_2 is FAULT: link eth2 is down"
        assert two["why"] == "link eth2 is down"
    lab.network.ip("lb1", "link", "set", "eth2", "up")
    _wait(lab, "lb1", bound)

    began = now()
    pathlib.Path(broken).touch()
    _wait(lab, "lb2", bound)
    weight = now() - began
    pathlib.Path(broken).unlink()
    _wait(lab, "lb1", bound)

    told = ["BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER", "BACKUP", "MASTER"]
    if kinds[0] == "tandem":
        assert lab.nodes["lb1"].command("resign", "VI_2")[0] == 0, "any member means all"
        _wait(lab, "lb2", bound)
        assert lab.nodes["lb1"].command("resume", "VI_1")[0] == 0
        _wait(lab, "lb1", bound)
        told += ["BACKUP", "MASTER"]

    began = now()
    lab.nodes["lb1"].terminate()
    _wait(lab, "lb2", bound)
    stop = now() - began
    told.append("STOP")
    wait_until(lambda: len(fifos[0].lines()) == 3 * len(told), bound, "everything was told")
    lines = fifos[0].lines()
    groups = [(i, line) for i, line in enumerate(lines) if line.startswith("GROUP")]
    assert [line for _, line in groups] == [f'GROUP "G" {state} 0' for state in told]
    # The first of all before its members', each later one right after them.
    assert [i for i, _ in groups] == [0] + [3 * i + 2 for i in range(1, len(told))]
    assert [line.split()[1] for line in lines[6:8]] == ['"VI_2"', '"VI_1"'], "the broken one first"
    for fifo in fifos:
        fifo.close()
    say(
        f"group, {kinds[0]} and {kinds[1]}: link down {link * 1000:.0f} ms, weight "
        f"{weight * 1000:.0f} ms, stop {stop * 1000:.0f} ms until both addresses are on lb2"
    )

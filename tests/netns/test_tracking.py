"""What is tracked beside scripts and the proxy: interfaces, files, processes."""

import dataclasses
import os
import pathlib
import shutil

from lab.config import Pair
from lab.process import Process, now, wait_until


@dataclasses.dataclass(frozen=True)
class Tracking(Pair):
    """A pair whose file begins with lines of its own."""

    head: str = ""

    def vrrp(self):
        return self.head + super().vrrp()


def _moved(lab, vip, node, timeout):
    began = now()
    lab.watch.wait_holders(vip, [node], timeout)
    return (now() - began) * 1000


def test_each_moves_the_address(lab, patience, say):
    """On lb1 alone: an interface that appears late, a number in a file, a process that ends."""
    program = pathlib.Path(lab.directory) / f"td{os.getpid()}"
    shutil.copy("/usr/bin/sleep", program)
    number = pathlib.Path(lab.directory) / "number"
    pair = Tracking(
        version=3,
        advert_s=0.2,
        head=f"track_file weight {{\n    file {number}\n    weight 2\n    init_file 0\n}}\n"
        f"vrrp_track_process served {{\n    process {program.name}\n    weight -100\n}}\n",
        instance="@lb1 track_interface {\n    @lb1 tunnel9\n@lb1 }\n"
        "@lb1 track_file {\n    @lb1 weight\n@lb1 }\n"
        "@lb1 track_process {\n    @lb1 served\n@lb1 }",
    )
    for name in ("lb1", "lb2"):
        lab.tandem(name, pair, proxy="")
    bound = (pair.down_s() + 6) * patience

    def run():
        process = Process("served", [program, 1000], f"{lab.directory}/served.log")
        lab.started(process)
        return process

    def why():
        return lab.nodes["lb1"].status_json()["instances"][0]["why"]

    served = run()
    lab.start_pair("lb2", timeout=bound)
    assert why() == "interface tunnel9 does not exist"
    lab.network.ip("lb1", "link", "add", "tunnel9", "type", "bridge")
    wait_until(lambda: why() == "link tunnel9 is down", bound, "it has appeared")
    lab.network.ip("lb1", "link", "set", "tunnel9", "up")
    appears = _moved(lab, lab.vip, "lb1", bound)

    number.write_text("-30\n", encoding="utf-8")
    file = _moved(lab, lab.vip, "lb2", bound)
    wait_until(lambda: "file weight says -30: priority 150 -> 90" in why(), bound, "status says so")
    number.unlink()
    _moved(lab, lab.vip, "lb1", bound)

    served.stop()
    process = _moved(lab, lab.vip, "lb2", bound)
    wait_until(lambda: "process served: 0 running" in why(), bound, "status says so")
    tracked = lab.nodes["lb1"].status_json()["instances"][0]["tracking"]["processes"][0]
    served = run()
    _moved(lab, lab.vip, "lb1", bound)
    say(
        f"tracked: an interface appears {appears:.0f} ms, a number in a file {file:.0f} ms, a process "
        f"ends {process:.0f} ms (by {tracked['watched_by']}) until the address has moved"
    )


def test_dont_track_primary(lab, patience, say):
    """A cable between the two: the peer that dies takes the link along, and its address elsewhere
    must still be served."""
    lab.network.second({name: ("eth2", []) for name in ("lb1", "lb2")})
    pair = Pair(version=3, advert_s=0.2, vip="10.0.1.10/32 dev eth2", instance="dont_track_primary")
    for name in ("lb1", "lb2"):
        lab.tandem(name, pair, proxy="")
    lab.vip = "10.0.1.10"
    bound = (pair.down_s() + 6) * patience
    lab.start_pair("lb1", timeout=bound)
    lab.network.carrier("lb2", False)
    lab.nodes["lb1"].kill_all()
    took = _moved(lab, lab.vip, "lb2", bound + 4)
    instance = lab.nodes["lb2"].status_json()["instances"][0]
    assert instance["state"] == "MASTER"
    say(f"dont_track_primary: master without its own link after {took:.0f} ms")


def test_link_of_an_address(lab, patience, say):
    """An address on another interface, whose link goes: keepalived, too, is FAULT then."""
    lab.network.second({name: ("eth2", []) for name in ("lb1", "lb2")})
    pair = Pair(version=3, advert_s=0.2, vip="10.0.1.10/32 dev eth2")
    for name in ("lb1", "lb2"):
        lab.tandem(name, pair, proxy="")
    lab.vip = "10.0.1.10"
    bound = (pair.down_s() + 6) * patience
    lab.start_pair("lb1", timeout=bound)
    lab.network.ip("lb1", "link", "set", "eth2", "down")
    down = _moved(lab, lab.vip, "lb2", bound)
    instance = lab.nodes["lb1"].status_json()["instances"][0]
    assert (instance["state"], instance["why"]) == ("FAULT", "link eth2 is down")
    lab.network.ip("lb1", "link", "set", "eth2", "up")
    up = _moved(lab, lab.vip, "lb1", bound)
    say(f"the link of an address: moved {down:.0f} ms after it went, {up:.0f} ms after it came back")

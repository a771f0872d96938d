"""Scripts: told the same as by keepalived, in the same order, and able to move the address."""

import dataclasses
import pathlib
import signal

import pytest

from lab.config import Pair
from lab.process import now, send_signal, wait_until

# Two files: keepalived runs `notify` and its kin at the same time, so only each has an order.
TELL = """\
#!/bin/sh
file=$1
shift
for word; do printf '[%s]' "$word"; done >>"$file"
echo >>"$file"
"""


@dataclasses.dataclass(frozen=True)
class Scripted(Pair):
    """A pair whose file begins with lines of its own."""

    head: str = ""

    def vrrp(self):
        return self.head + super().vrrp()


def _program(path, text):
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def _told(lab, patience, make, directory):
    """One node alone: backup, master, fault, backup, master, stop.  What was it told?"""
    directory.mkdir()
    tell = _program(directory / "tell", TELL)
    reader = _program(directory / "reader", '#!/bin/sh\nexec cat "$2" >"$1"\n')
    own, every, fifo = (directory / name for name in ("own", "every", "fifo.lines"))
    pair = Scripted(
        head="global_defs {\n    script_user root\n"
        f"    vrrp_notify_fifo {directory}/fifo\n"
        f'    vrrp_notify_fifo_script "{reader} {fifo}"\n}}\n',
        instance="version 3\nnotify_priority_changes on\n"
        + "".join(
            f"notify_{name} \"{tell} {own} {name} 'two words'\"\n"
            for name in ("master", "backup", "fault", "stop")
        )
        + f'notify "{tell} {every} any"',
        advert_s=0.2,
        unicast=False,
    )
    node = make("lb1", pair, proxy="")
    node.start()
    bound = (pair.down_s(150) + 5) * patience
    lab.watch.wait_holders(lab.vip, ["lb1"], bound)

    def told(times):
        """By both scripts: keepalived starts them without waiting for those before."""
        texts = [path.read_text() if path.exists() else "" for path in (own, every)]
        return all(len(text.splitlines()) == times for text in texts)

    wait_until(lambda: told(2), bound, "master is told")
    lab.network.link("lb1", False)
    wait_until(lambda: told(3), bound, "fault is told")
    lab.network.link("lb1", True)
    wait_until(lambda: told(5), bound, "master is told again")
    node.stop()
    wait_until(lambda: told(6), bound, "stop is told")
    return own.read_text(), every.read_text(), fifo.read_text()


def test_told_as_by_keepalived(lab, patience, say, tmp_path):
    ours = _told(lab, patience, lab.tandem, tmp_path / "tandem")
    theirs = _told(lab, patience, lab.classic, tmp_path / "keepalived")
    assert ours[:2] == theirs[:2]
    # keepalived ends its reader before it can have read the last line.
    assert ours[2].startswith(theirs[2])
    states = ["BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER", "STOP"]
    assert ours[0].splitlines() == [f"[{state.lower()}][two words]" for state in states]
    assert ours[1].splitlines() == [f"[any][INSTANCE][VI_1][{state}][150]" for state in states]
    assert ours[2].splitlines() == [f'INSTANCE "VI_1" {state} 150' for state in states]
    say(f"told as by keepalived: {len(states)} states to scripts and FIFO, argument by argument")


@pytest.mark.quick
def test_check_moves_the_address(lab, pair_of, patience, say):
    """A failing script lowers the priority; a new worker knows what the scripts have found."""
    broken = {name: f"{lab.directory}/{name}.broken" for name in ("lb1", "lb2")}
    pair = Scripted(
        head="vrrp_script chk {\n"
        + "".join(f'    @{name} script "test ! -e {path}"\n' for name, path in broken.items())
        + "    interval 0.2\n    timeout 10\n    rise 2\n    fall 2\n    weight -100\n}\n",
        instance="version 3\ntrack_script {\n    chk\n}",
        advert_s=0.2,
    )
    lb1, lb2 = pair_of(pair)

    def script():
        return (lb1.status_json() or {"scripts": [{}]})["scripts"][0]

    wait_until(lambda: script().get("state") == "ok", 3 * patience, "the script succeeds")
    with open(broken["lb1"], "w", encoding="utf-8"):
        pass
    lab.watch.wait_holders(lab.vip, ["lb2"], 4 * patience)
    assert script()["exit_status"] == 1
    assert lb1.status_json()["instances"][0]["priority"] == {"configured": 150, "effective": 50}
    old = lb1.worker()
    send_signal(old, signal.SIGKILL)
    lb1.wait_worker(5 * patience, other_than=old)
    wait_until(lambda: script().get("state") == "failed", 3 * patience, "the new worker is told")
    wait_until(
        lambda: lb1.status_json()["instances"][0]["priority"]["effective"] == 50,
        3 * patience,
        "and heeds it",
    )
    assert lab.watch.holders(lab.vip) == ["lb2"]
    pathlib.Path(broken["lb1"]).unlink()
    lab.watch.wait_holders(lab.vip, ["lb1"], 5 * patience)
    say(f"check script: weight -100 moved the address, {lb2.name} held it, and it came back")


def test_a_hanging_script_harms_nothing(lab, pair_of, patience, say):
    """It floods, forks, ignores SIGTERM: ended in time, counted as failed, nothing left of it."""
    hang = _program(
        pathlib.Path(lab.directory) / "hang",
        "#!/bin/sh\ntrap '' TERM\nyes &\nsleep 1000 &\nwhile :; do wait; done\n",
    )
    pair = Scripted(
        head=f'vrrp_script chk {{\n    script "{hang}"\n    interval 0.5\n    weight -1\n}}\n',
        instance=f'version 3\ntrack_script {{\n    chk\n}}\nnotify_stop "{hang}"',
        advert_s=0.2,
    )
    lb1, lb2 = pair_of(pair)
    wait_until(
        lambda: lb1.status_json()["scripts"][0]["timed_out"], 5 * patience, "it is timed out"
    )
    before = lb1.fds()
    probe = lab.probe()
    probe.wait_ok(in_a_row=300, timeout=15 * patience)
    probe.stop()
    assert lab.watch.holders(lab.vip) == ["lb1"]
    assert max(lb1.fds().values()) <= max(before.values()) + 4
    ended = now()
    for node in (lb2, lb1):
        assert node.process.stop(10.0 * patience), "notify_stop is waited for, but not for ever"
        assert node.process.status == 0
        assert lab.network.inhabitants(node.name) == []
    took = (now() - ended) / 2
    failed = f"{len(probe.failed())} of {len(probe.launches)} probes failed"
    say(f"a script that hangs: {failed}, stopping takes {took:.1f} s")

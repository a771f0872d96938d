"""Reload: what has not changed does not notice."""

import os
import signal

import pytest

from lab.process import Process, wait_until

pytestmark = pytest.mark.quick


def test_reload_changes_nothing(lab, pair_of, fast, say):
    """The same file again, by command and by signal: another worker, and nobody notices."""
    lb1, _ = pair_of(fast())
    first = lb1.worker()
    probe = lab.probe()
    probe.wait_ok()
    status, text = lb1.reload()
    assert status == 0, text
    second = wait_until(lambda: (pid := lb1.worker()) != first and pid, 5, "another worker")
    os.kill(lb1.guardian, signal.SIGHUP)
    wait_until(lambda: lb1.worker() not in (first, second), 5, "a third worker")
    probe.wait_ok()
    probe.stop()
    say(f"reload: {lb1.log_text().count('reloaded in')} times, {len(probe.failed())} probes failed")
    assert probe.failed() == []
    assert lab.watch.holders(lab.vip) == ["lb1"]
    assert lb1.log_text().count("Entering") == 2, "BACKUP and MASTER, at the start"


def test_reload_under_load(lab, pair_of, patience, fast, say):
    """Ten reloads, with requests, idle connections and a long one: none fails, none breaks."""
    lb1, _ = pair_of(fast())
    idle = lab.hold(50)
    probe = lab.probe()
    probe.wait_ok()
    before = lb1.fds()[lb1.guardian]
    for _ in range(10):
        status, text = lb1.reload()
        assert status == 0, text
    probe.wait_ok()
    probe.stop()
    assert probe.failed() == []
    assert "lost" not in idle.output()
    wait_until(
        lambda: [w["sessions"] for w in lb1.status_json()["former_workers"]] == [50],
        5 * patience,
        "the status shows the worker that the idle connections hold open",
    )
    assert lb1.log_text().count("Entering") == 2
    idle.stop(3)
    wait_until(lambda: len(lb1.pids()) == 2, 10 * patience, "the former workers have ended")
    say(f"10 reloads: 0 of {len(probe.launches)} probes failed, 50 idle connections stayed")
    assert lb1.fds()[lb1.guardian] <= before + 2


def test_what_is_wrong_changes_nothing(lab, pair_of, fast, say):
    """A broken file, and a port that another program has: status 1, the reason, and all as it was."""
    lb1, _ = pair_of(fast())
    good = lb1.files[0].read_text(encoding="utf-8")
    worker = lb1.worker()
    probe = lab.probe()
    probe.wait_ok()
    status, text = lb1.reload([("tandem.conf", good + "backend more\n    balance roundrobbin\n")])
    assert status == 1
    assert "tandem.conf:" in text and "^" in text and "roundrobbin" in text
    other = Process(
        "another program",
        ["/usr/bin/python3", "-m", "http.server", "8081"],
        lb1.directory / "other.log",
        namespace=lab.network.namespace("lb1"),
    )
    lab.started(other)
    lab.network.exec("lb1", "timeout", "10", "sh", "-c", "until curl -s localhost:8081; do :; done")
    extra = "frontend more\n    bind *:8081\n    default_backend app\n"
    status, text = lb1.reload([("tandem.conf", good + extra)])
    assert status == 1
    assert "8081" in text and "Address already in use" in text
    other.kill_all()
    probe.wait_ok()
    probe.stop()
    assert probe.failed() == []
    assert lb1.worker() == worker
    say(f"refused: {text.strip().splitlines()[-1]}")
    assert lb1.reload([("tandem.conf", good)])[0] == 0


def test_only_what_changes_changes(lab, pair_of, patience, fast, say):
    """Addresses, instances, threads and servers come and go; what stays does not notice."""
    lb1, lb2 = pair_of(fast())
    good = lb1.files[0].read_text(encoding="utf-8")
    probe = lab.probe()
    probe.wait_ok()
    more = good.replace(f"{lab.vip}/32", f"{lab.vip}/32\n        10.0.0.77/32")
    second = good.split("\nvrrp_instance VI_1")[1].split("\n}\n")[0]
    second = "vrrp_instance VI_2" + second.replace("router_id 51", "router_id 52") + "\n}\n"
    more = more.replace("global\n", "global\n    nbthread 5\n", 1)
    more += "    server app3 10.0.0.22:80 check inter 1s\n"
    more += second.replace(f"{lab.vip}/32", "10.0.0.78/32")
    checked = {s["name"]: s["state"] for s in lb1.status_json()["backends"][0]["servers"]}
    status, text = lb1.reload([("tandem.conf", more)])
    assert status == 0, text
    assert "10.0.0.77" in lab.network.addresses("lb1")
    servers = {s["name"]: s["state"] for s in lb1.status_json()["backends"][0]["servers"]}
    assert {name: servers[name] for name in checked} == checked
    wait_until(
        lambda: "10.0.0.78" in lab.network.addresses("lb1"), 10 * patience, "VI_2 becomes MASTER"
    )
    assert lb1.reload([("tandem.conf", good)])[0] == 0
    assert lab.network.addresses("lb1") & {"10.0.0.77", "10.0.0.78"} == set()
    probe.wait_ok()
    probe.stop()
    assert probe.failed() == []
    assert lab.watch.holders(lab.vip) == ["lb1"]
    assert lb1.log_text().count("(VI_1) Entering") == 2
    say(f"changes: 0 of {len(probe.launches)} probes failed")


def test_resign_and_resume(lab, pair_of, patience, fast, say):
    """Handed over without a gap, kept away over a reload, taken back when it is told to."""
    lb1, _ = pair_of(fast())
    probe = lab.probe()
    probe.wait_ok()
    status, text = lb1.command("resign", "VI_1")
    assert status == 0, text
    lab.watch.wait_holders(lab.vip, ["lb2"], 3 * patience)
    assert lb1.reload()[0] == 0
    probe.wait_ok(in_a_row=100)
    assert lab.watch.holders(lab.vip) == ["lb2"]
    assert lb1.status_json()["instances"][0]["resigned"] and "tandem resume" in lb1.status()
    assert lb1.command("resign", "VI_9")[0] == 1
    assert lb1.command("resume")[0] == 0
    lab.watch.wait_holders(lab.vip, ["lb1"], 5 * patience)
    probe.wait_ok()
    probe.stop()
    say(f"resign and resume: longest outage {probe.outage_ms():.0f} ms")
    assert probe.outage_ms() <= 500

"""Reload: what has not changed does not notice."""

import os
import pathlib
import signal
import subprocess
import time

import pytest

from lab.config import proxy
from lab.margin import check_unharmed, within
from lab.process import LEAST_S, Process, wait_until
from test_hmac import with_hmac

pytestmark = pytest.mark.quick


def test_reload_changes_nothing(lab, pair_of, patience, fast, say):
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
    check_unharmed(probe, patience)
    assert lab.watch.holders(lab.vip) == ["lb1"]
    assert lb1.log_text().count("Entering") == 2, "BACKUP and MASTER, at the start"


def test_reload_under_load(lab, pair_of, patience, fast, say):
    """Ten reloads, with requests, idle connections and a long one: none fails, none breaks."""
    lb1, _ = pair_of(fast(), proxy=proxy(idle="10m"))
    idle = lab.hold(50)
    probe = lab.probe()
    probe.wait_ok()
    before = lb1.fds()[lb1.guardian]
    for _ in range(10):
        status, text = lb1.reload()
        assert status == 0, text
    probe.wait_ok()
    probe.stop()
    check_unharmed(probe, patience)
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
    # It has yet to hear of the end of the last one.
    wait_until(
        lambda: lb1.fds()[lb1.guardian] <= before + 2, 5 * patience, "descriptors are closed again"
    )


def test_what_is_wrong_changes_nothing(lab, pair_of, patience, fast, say):
    """A broken file, and a port that another program has: status 1, the reason, and all as it was."""
    lb1, _ = pair_of(fast())
    good = lb1.files[0].read_text(encoding="utf-8")
    worker = lb1.worker()
    probe = lab.probe()
    probe.wait_ok()
    status, text = lb1.reload([("tandem.conf", good + "backend more\n    balance roundrobbin\n")])
    assert status == 1
    assert "tandem.conf:" in text and "^" in text and "roundrobbin" in text
    other = lab.occupy("lb1", 8081)
    extra = "frontend more\n    bind *:8081\n    default_backend app\n"
    status, text = lb1.reload([("tandem.conf", good + extra)])
    assert status == 1
    assert "8081" in text and "Address already in use" in text
    other.kill_all()
    probe.wait_ok()
    probe.stop()
    check_unharmed(probe, patience)
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
    os.kill(lb1.guardian, signal.SIGHUP)
    wait_until(lambda: lb1.log_text().count(": reloading\n") == 3, 5 * patience, "it reads the file")
    changed = lb1.files[0].with_suffix(".new")
    changed.write_text(more, encoding="utf-8")
    changed.rename(lb1.files[0])  # it may be read right now
    os.kill(lb1.guardian, signal.SIGHUP)
    wait_until(
        lambda: "10.0.0.77" in lab.network.addresses("lb1"), 10 * patience, "it reads it again"
    )
    probe.wait_ok()
    probe.stop()
    check_unharmed(probe, patience)
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
    assert probe.outage_ms() <= within(50, patience)


def certificate(path, name):
    """A certificate that signs itself, with its key."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        + ["-keyout", f"{path}.key", "-out", path, "-subj", f"/CN={name}"],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    with open(path, "a", encoding="ascii") as file:
        file.write(pathlib.Path(f"{path}.key").read_text(encoding="ascii"))


def test_new_certificate(lab, pair_of, patience, fast, tmp_path, say):
    """A certificate is read anew, by a pair that signs: that goes on without a gap, too."""
    papers = tmp_path / "www.pem"
    certificate(papers, "first")
    lb1, lb2 = pair_of(with_hmac(lab, fast()))
    secure = f"\nfrontend secure\n    bind *:443 ssl crt {papers}\n    default_backend app\n"
    good = lb1.files[0].read_text(encoding="utf-8")

    def subject():
        argv = ["openssl", "s_client", "-connect", f"{lab.vip}:443"]
        return lab.network.exec("client", "timeout", "60", "sh", "-c", " ".join(argv) + " </dev/null")

    assert lb1.reload([("tandem.conf", good + secure)])[0] == 0
    assert "CN = first" in subject()
    certificate(papers, "second")
    assert "CN = first" in subject()
    assert lb1.reload()[0] == 0
    assert "CN = second" in subject()
    wait_until(
        lambda: lb1.log_text().count("exited with status 0") == 2, 5 * patience, "the former end well"
    )
    assert [n.log_text().count("Entering") for n in (lb1, lb2)] == [2, 1]
    say("a new certificate is served, signed advertisements went on")


def test_beside_keepalived(lab, patience, fast, tmp_path, say):
    """keepalived notices no reload; an instance that is gone has its notify_deleted run."""
    told = tmp_path / "told"
    pair = fast()
    lb1, lb2 = lab.tandem("lb1", pair), lab.classic("lb2", pair, "")
    good = lb1.files[0].read_text(encoding="utf-8")
    extra = good.split("\nvrrp_instance VI_1")[1].split("\n}\n")[0].replace("router_id 51", "router_id 52")
    extra = extra.replace(f"{lab.vip}/32", "10.0.0.78/32")
    extra += f"\n    notify_deleted \"/bin/touch {told}\"\n    notify_fault \"/bin/false\"\n}}\n"
    lb1.configure([("tandem.conf", good + "\nvrrp_instance VI_2" + extra)])
    lab.start_pair(timeout=(pair.down_s() + 5) * patience)
    wait_until(
        lambda: "10.0.0.78" in lab.network.addresses("lb1"), 10 * patience, "VI_2 becomes MASTER"
    )
    before = lb2.log_text().count("Entering")
    assert lb1.reload()[0] == 0
    assert not told.exists()
    assert lb1.reload([("tandem.conf", good)])[0] == 0
    wait_until(told.exists, 5 * patience, "notify_deleted has run")
    assert "10.0.0.78" not in lab.network.addresses("lb1")
    assert lb1.reload()[0] == 0
    assert lab.watch.holders(lab.vip) == ["lb1"]
    assert lb2.log_text().count("Entering") == before
    assert lb1.log_text().count("(VI_1) Entering") == 2
    say("three reloads: keepalived heard nothing of them")


def newcomer(guardian, known):
    """The guardian's next worker, as soon as there is one."""
    children = pathlib.Path(f"/proc/{guardian}/task/{guardian}/children")
    until = time.monotonic() + LEAST_S
    while time.monotonic() < until:
        for pid in set(children.read_text(encoding="ascii").split()) - known:
            try:
                if b"--worker" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
            except OSError:
                pass
    raise AssertionError("there is no second worker")


def test_second_worker_killed(lab, pair_of, patience, fast, say):
    """At birth, while it gets ready, with the token: one master each time, and a service."""
    lb1, _ = pair_of(fast())
    results = []
    for after_ms in (0, 1, 2, 5, 50):
        wait_until(lambda: len(lb1.pids()) == 2, 10 * patience, "guardian and one worker")
        first = lb1.worker()
        reload = Process("reload", [*lb1.argv()[:1], "-R", lb1.run_directory, "reload"],
                         lb1.directory / "reload.log")  # fmt: skip
        lab.started(reload)
        pid = newcomer(lb1.guardian, {str(first)})
        time.sleep(after_ms / 1000)  # the moment is the test, and any moment will do
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not reload.alive, 10 * patience, "the command ends")
        lab.watch.wait_holders(lab.vip, ["lb1"], 10 * patience)
        wait_until(lab.ask, 5 * patience, "the service answers")
        assert reload.status == 0 or lb1.worker() == first
        results.append(reload.status)
        assert lb1.reload()[0] == 0
    say(f"second worker killed: {results.count(0)} of {len(results)} reloads were done by then")


def test_former_worker_stopped(lab, pair_of, patience, fast, say):
    """One that stands still with its sessions is not kept for ever."""
    lb1, _ = pair_of(fast())
    idle = lab.hold(5)
    former = lb1.worker()
    assert lb1.reload()[0] == 0
    wait_until(lambda: lb1.status_json()["former_workers"], 5 * patience, "there is a former worker")
    os.kill(former, signal.SIGSTOP)
    wait_until(lambda: not os.path.exists(f"/proc/{former}"), 30 * patience, "it has been ended")
    wait_until(lambda: not lb1.status_json()["former_workers"], 5 * patience, "and is forgotten")
    idle.stop(3)
    assert lb1.log_text().count("Entering") == 2
    assert lab.watch.holders(lab.vip) == ["lb1"]
    say("a former worker that stands still has been ended")

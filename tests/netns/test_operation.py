"""What an operator meets: broken files, a second instance, questions about the state."""

import os
import re
import signal
import subprocess

import pytest

from lab.config import Pair, proxy
from lab.lab import ROOT
from lab.margin import check_unharmed, within
from lab.process import LEAST_S, now, wait_until

pytestmark = pytest.mark.quick

BROKEN = """\
vrrp_instance VI_1 {
    interface eth1
    virtual_router_id 300
    priority 999
    virtual_ipaddress {
        10.0.0.300
    }
}
frontend main
    bind *:80
    default_backend nowhere
backend app
    balance roundrobbin
    server app1 10.0.0.21:80 chek
"""


def run_tandem(lab, node, *args):
    """A second program on the node, to its end: (status, output)."""
    done = subprocess.run(
        ["ip", "netns", "exec", lab.network.namespace(node), lab.binary, *map(str, args)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
    )
    return done.returncode, done.stdout


def test_broken_file(lab, pair_of, patience, fast, say):
    """Exit 1, every error with its place; the running pair does not notice."""
    pair_of(fast())
    probe = lab.probe()
    probe.wait_ok()
    path = lab.nodes["lb1"].directory / "broken.conf"
    path.write_text(BROKEN, encoding="utf-8")
    run_directory = lab.nodes["lb1"].run_directory
    for args in (["-c", "-f", path], ["-f", path, "-R", f"{run_directory}2", "-db"]):
        code, output = run_tandem(lab, "lb1", *args)
        assert code == 1
        for line in (3, 4, 6, 11, 13, 14):
            assert re.search(rf"broken\.conf:{line}:\d+", output), f"line {line}: {output}"
    path.write_text("# lines for other nodes only\n", encoding="utf-8")
    for args, expected in ((["-c"], 0), (["-c", "-dW"], 1)):
        code, output = run_tandem(lab, "lb1", *args, "-f", path)
        assert code == expected
        assert "nothing to do" in output
    probe.wait_ok(in_a_row=50)
    probe.stop()
    say(f"broken file: exit 1, all errors shown; {len(probe.failed())} of the pair's probes failed")
    check_unharmed(probe, patience)
    assert lab.watch.holders(lab.vip) == ["lb1"]


def test_second_instance(lab, pair_of, fast, say):
    """The same run directory twice: the second refuses and the first stays as it is."""
    lb1, _ = pair_of(fast())
    before = lb1.pids()
    code, output = run_tandem(lab, "lb1", *map(str, lb1.argv()[1:]))
    assert code == 1
    assert str(lb1.run_directory) in output
    assert lb1.pids() == before
    assert lab.watch.holders(lab.vip) == ["lb1"]
    assert lb1.status_json()
    say(f"second instance: {output.strip().splitlines()[-1]}")


def test_unprivileged(lab, say):
    """Started without what it needs: one clear error."""
    node = lab.tandem("lb1", Pair())
    argv = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", *node.argv()]
    lab.nodes.clear()
    done = subprocess.run(
        ["ip", "netns", "exec", lab.network.namespace("lb1"), *map(str, argv)],
        text=True,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) <= 3, done.stderr
    say(f"unprivileged: {done.stderr.strip().splitlines()[-1]}")


def start_alone(lab, run_directory, redirect=""):
    """One node without a peer, by way of a shell: the process."""
    node = lab.tandem("lb1", Pair())
    lab.nodes.clear()
    argv = [*map(str, node.argv()), "-R", str(run_directory)]
    return subprocess.Popen(
        ["ip", "netns", "exec", lab.network.namespace("lb1"), "sh", "-c", f'exec "$@" {redirect}']
        + ["sh", *argv],
        text=True,
        stderr=subprocess.PIPE,
    )


def test_closed_streams(lab, tmp_path, say):
    """No file gets the number of a closed stream, and messages with it."""
    run_directory = tmp_path / "run"
    daemon = start_alone(lab, run_directory, "0<&- 1>&- 2>&-")
    try:
        wait_until((run_directory / "control.sock").exists, 10, "the control socket")
        daemon.send_signal(signal.SIGHUP)
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(60)
        assert (run_directory / "lock").read_text(encoding="utf-8") == f"{daemon.pid}\n"
    finally:
        daemon.kill()
    say("closed streams: the lock file holds the pid alone")


def test_full_disk(lab, tmp_path, say):
    """A run directory that cannot be written to is named."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", tmp_path], check=True)
    try:
        (tmp_path / "filling").write_bytes(bytes(4096))
        daemon = start_alone(lab, tmp_path)
        output = daemon.communicate(timeout=60)[1]
        assert daemon.returncode == 1
        assert f"{tmp_path}/lock" in output and "No space" in output
    finally:
        subprocess.run(["umount", tmp_path], check=True)
    say(f"full disk: {output.strip().splitlines()[-1]}")


def test_status(lab, pair_of, fast, say):
    """Both nodes say what they are and why; --json is JSON."""
    lb1, lb2 = pair_of(fast())
    probe = lab.probe()
    probe.wait_ok()
    probe.stop()
    assert "MASTER" in lb1.status() and lab.vip in lb1.status()
    assert "BACKUP" in lb2.status() and "10.0.0.11" in lb2.status() and "150" in lb2.status()
    assert "app1" in lb1.status() and "UP" in lb1.status()
    for node in (lb1, lb2):
        assert node.status_json(), "JSON"
    environment = {**os.environ, "TANDEM_RUNDIR": str(lb1.run_directory)}
    code = subprocess.run([lab.binary, "status"], env=environment, capture_output=True).returncode
    assert code == 0
    code, output = run_tandem(lab, "lb1", "-R", f"{lb1.run_directory}-none", "status")
    assert code != 0 and output.strip(), "no instance there is an error, and it is said"
    say("status: text and JSON on both nodes")


def paths(value, prefix=""):
    """Every path to a value in a JSON document: {"vips[].address", …}."""
    if isinstance(value, dict) and prefix.endswith("drops"):
        return {f"{prefix}.*"}
    if isinstance(value, dict):
        prefix = f"{prefix}." if prefix else ""
        return set().union(*(paths(v, f"{prefix}{k}") for k, v in value.items()))
    if isinstance(value, list):
        return set().union(*(paths(v, f"{prefix}[]") for v in value)) if value else {prefix}
    return {prefix}


def documented(section):
    """The paths that tandem-json(5) has in a section."""
    page = (ROOT / "daemon/install/tandem-json.5").read_text(encoding="utf-8")
    text = re.search(rf'(?ms)^\.SH "?{section}"?$(.*?)(?=^\.SH )', page)[1]
    return set(re.findall(r"(?m)^\.T[PQ]\n\.B (\S+)$", text))


def test_json_is_as_documented(lab, pair_of, patience, fast, say):
    """Every key of a real answer is in the manual, and every key of the manual in a real answer."""
    instance = "auth_hmac {\n    key 1 hex:" + "5a" * 32 + "\n}\ntrack_interface {\n    eth1\n}"
    pair = fast(script="/bin/true", instance=instance)
    group = "vrrp_sync_group G {\n    group {\n        VI_1\n    }\n}\n"
    agent = "check inter 1s agent-check agent-port 9 agent-inter 100ms"
    lb1, lb2 = pair_of(pair, files=[("tandem.conf", pair.vrrp() + group + proxy(agent))])

    def complete():
        status = lb2.status_json()
        return status["instances"][0]["peer"] and status["scripts"][0]["took_ms"] is not None and status

    status = wait_until(complete, 6 * patience, "a peer and a script's result")
    found, known = paths(status), documented("STATUS")
    nested = {path for path in found if path.startswith("transitions[]")}
    # An empty list shows none of the keys that its elements would have.
    for path in found - known:
        inside = {key for key in known if key.startswith(f"{path}[]")}
        if inside:
            found, known = found - {path}, known - inside
    assert found - nested | {"transitions"} == known, (found - nested) ^ known
    history = lb1.history_json()
    known = documented("HISTORY")
    assert paths(history) == known, paths(history) ^ known
    assert nested == {path for path in known if path.startswith("transitions[]")}
    say(f"JSON: {len(found)} keys of the status, {len(known)} of the history, all documented")


def test_history_outlives_the_worker(lab, pair_of, patience, fast, say):
    """What happened before a worker died is told by the next, with its reason and its duration."""
    lb1, lb2 = pair_of(fast())
    worker = lb1.worker()
    os.kill(worker, signal.SIGKILL)
    lab.watch.wait_holders(lab.vip, ["lb2"], 6 * patience)
    taken = lb2.history_json()["transitions"][0]
    assert (taken["from"], taken["to"], taken["peer"]) == ("BACKUP", "MASTER", "10.0.0.11")
    assert taken["reason"] and 0 <= taken["took_us"] / 1000 < within(50, patience)
    lb1.wait_worker(6 * patience, other_than=worker)
    wait_until(lambda: lb1.history_json()["total"] >= 3, 6 * patience, "the next one's transitions")
    told = [(t["from"], t["to"]) for t in reversed(lb1.history_json()["transitions"])]
    assert told[:3] == [("INIT", "BACKUP"), ("BACKUP", "MASTER"), ("INIT", "BACKUP")], told
    code, output = run_tandem(lab, "lb1", "-R", lb1.run_directory, "history")
    assert code == 0 and "BACKUP -> MASTER" in output and "\033" not in output
    say(f"history: lb2 took over in {taken['took_us'] / 1000:.1f} ms, told: {taken['reason']}")


def on_terminal(command, environment, timeout):
    """Runs a command on a terminal of its own until it has drawn three times, then presses Ctrl-C."""
    primary, secondary = os.openpty()
    child = subprocess.Popen(command, stdout=secondary, stderr=secondary, env=environment)
    os.close(secondary)
    output = b""
    os.set_blocking(primary, False)

    def enough():
        nonlocal output
        try:
            output += os.read(primary, 65536)
        except (BlockingIOError, OSError):
            pass
        return child.poll() is not None or output.count(b"\033[H") >= 3

    try:
        wait_until(enough, timeout, "the screen is drawn again")
        child.send_signal(signal.SIGINT)
        child.wait(max(timeout, LEAST_S))
        enough()
    finally:
        child.kill()
        child.wait()
        os.close(primary)
    return output.decode()


def test_terminal(lab, pair_of, patience, fast, say):
    """Colours on a terminal only, unless they are not wanted; --watch fills and leaves the screen."""
    lb1, _ = pair_of(fast())
    command = [lab.binary, "status", "-R", str(lb1.run_directory), "--watch=0.1"]
    coloured = {**os.environ, "TERM": "xterm"}
    coloured.pop("NO_COLOR", None)
    shown = on_terminal(command, coloured, 6 * patience)
    assert shown.startswith("\033[?1049h") and shown.endswith("\033[?1049l")
    assert "\033[32mMASTER\033[0m" in shown and shown.count("\033[H") >= 2
    plain = on_terminal(command, {**coloured, "NO_COLOR": "1"}, 6 * patience)
    assert "\033[32m" not in plain and "MASTER" in plain
    assert "\033" not in lb1.status()
    say("terminal: coloured and refreshed; plain with NO_COLOR and in a pipe")


def test_state_is_dumped(lab, pair_of, patience, fast, say, tmp_path):
    """SIGUSR1 has the state in keepalived.data; what somebody left there is not followed."""
    victim = tmp_path / "victim"
    victim.write_text("untouched", encoding="utf-8")
    (tmp_path / "keepalived.data").symlink_to(victim)
    lb1 = lab.tandem("lb1", fast())
    lb1.environment["TMPDIR"] = str(tmp_path)
    lb1.start()
    lab.watch.wait_holders(lab.vip, ["lb1"], 6 * patience)
    before = lb1.pids()
    os.kill(lb1.guardian, signal.SIGUSR1)
    dump = tmp_path / "keepalived.data"
    wait_until(lambda: not dump.is_symlink() and "VI_1" in dump.read_text(), 6 * patience, "the dump")
    assert "MASTER" in dump.read_text(encoding="utf-8")
    assert victim.read_text(encoding="utf-8") == "untouched"
    wait_until(lambda: "the state was written" in lb1.log_text(), 3 * patience, "a line about it")
    assert lb1.pids() == before
    say("SIGUSR1: the state is in keepalived.data")


def test_worker_privileges(lab, pair_of, fast, say):
    """The worker has no root, no capability, and cannot get any."""
    lb1, _ = pair_of(fast())
    with open(f"/proc/{lb1.worker()}/status", encoding="utf-8") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    assert "0" not in status["Uid"].split() and "0" not in status["Gid"].split()
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"
    say(f"worker: uid {status['Uid'].split()[0]}, no capabilities, no_new_privs")


def test_guardian_killed(lab, pair_of, patience, fast, say):
    """Only the guardian dies: the worker resigns at once, and serves who still comes until its address
    lapses."""
    lb1, _ = pair_of(fast())
    worker = lb1.worker()
    killed = now()
    os.kill(lb1.guardian, signal.SIGKILL)
    wait_until(lambda: "lb2" in lab.watch.holders(lab.vip), 2 * patience, "lb2 takes over")
    taken = now() - killed
    # A neighbour that has missed the announcement.
    mac = lab.network.mac("lb1")
    lab.network.ip("client", "neigh", "replace", lab.vip, "lladdr", mac, "dev", "eth1", "nud", "permanent")
    while lab.watch.holders(lab.vip) == ["lb1", "lb2"] and now() - killed < 2:
        answer = lab.ask()
        if "lb1" in lab.watch.holders(lab.vip):  # or it has lapsed while we asked
            assert answer.startswith("test web"), "the old address is not served"
    lab.watch.wait_holders(lab.vip, ["lb2"], 6 * patience)
    wait_until(lambda: not os.path.exists(f"/proc/{worker}"), 6 * patience, "the worker ends too")
    say(
        f"guardian killed: the other node has the address after {taken * 1000:.0f} ms; the old one was "
        f"served until it lapsed, after {now() - killed:.1f} s the worker is gone"
    )


def test_balance(lab, pair_of, say):
    """Round robin over both servers, through the address."""
    pair_of(Pair(version=3, advert_s=0.3), proxy=proxy())
    probe = lab.probe()
    probe.wait_ok()
    probe.stop()
    answers = [lab.ask() for _ in range(6)]
    say(f"answers: {', '.join(answers)}")
    assert set(answers) == {"test web1", "test web2"}
    assert all(one != other for one, other in zip(answers, answers[1:]))

"""The two kinds of load balancer a node can run: Tandem, or keepalived with HAProxy."""

import json
import pathlib
import re
import signal
import subprocess

from . import network
from .process import Process, descendants, fd_count, send_signal, wait_until
from .watch import status_json

SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
}
SANITIZER_REPORT = re.compile(
    r"^.*(?:ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|LeakSanitizer).*$", re.M
)


def _comm(path):
    try:
        return pathlib.Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


class Tandem:
    """`tandem` on one node.  files: [(name, text), ...], given with one -f each."""

    kind = "tandem"

    def __init__(self, lab, name, files):
        self.lab, self.name = lab, name
        self.directory = pathlib.Path(lab.directory) / name
        self.directory.mkdir(exist_ok=True)
        self.run_directory = self.directory / "run"
        self.log = self.directory / "tandem.log"
        self.environment = dict(SANITIZERS)
        self.process = None
        self.leaving = False  # has been told to end
        self.configure(files)

    def configure(self, files):
        self.files = []
        for name, text in files:
            path = self.directory / name
            path.write_text(text, encoding="utf-8")
            self.files.append(path)

    def argv(self, *more):
        flags = [word for path in self.files for word in ("-f", path)]
        return [self.lab.installed, *flags, "-R", self.run_directory, "-L", self.name, "-db", *more]

    def start(self):
        """Not before one that was terminated has ended: there may be one only."""
        if self.leaving:
            self.process.wait_gone(30)
        self.leaving = False
        self.process = Process(
            f"tandem on {self.name}",
            self.argv(),
            self.log,
            env=self.environment,
            namespace=self.lab.network.namespace(self.name),
        )
        self.lab.started(self.process)

    def pids(self):
        return self.process.tree() if self.process else []

    @property
    def alive(self):
        return bool(self.process and self.process.alive)

    @property
    def status_code(self):
        """Exit status once it has ended; negative: the signal that ended it."""
        return self.process.status if self.process else None

    @property
    def guardian(self):
        return self.process.pid

    def worker(self):
        """Pid of the worker: the child that has the VRRP thread; None while there is none."""
        for pid in descendants(self.guardian):
            threads = pathlib.Path(f"/proc/{pid}/task")
            try:
                if any(_comm(thread / "comm") == "vrrp" for thread in threads.iterdir()):
                    return pid
            except OSError:
                continue
        return None

    def wait_worker(self, timeout=5.0, other_than=None):
        return wait_until(
            lambda: (pid := self.worker()) and pid != other_than and pid,
            timeout,
            f"the worker on {self.name} runs",
        )

    def command(self, *words):
        """A command such as `reload`, to its end: (exit status, what it said)."""
        argv = [self.lab.binary, "-R", str(self.run_directory), *words]
        done = subprocess.run(argv, text=True, capture_output=True, timeout=60)
        return done.returncode, done.stderr

    def reload(self, files=None):
        """Reloads, with new files if they are given."""
        if files:
            self.configure(files)
        return self.command("reload")

    def terminate(self):
        self.leaving = True
        self.process.signal(signal.SIGTERM)

    def kill_all(self):
        self.process.kill_all()

    def pause(self):
        self._paused = self.pids()
        for pid in self._paused:
            send_signal(pid, signal.SIGSTOP)

    def resume(self):
        for pid in reversed(self._paused):
            send_signal(pid, signal.SIGCONT)

    def stop(self):
        """Ends it as an operator does.  Returns what was wrong with that."""
        if not self.alive:
            return []
        if not self.process.stop(5.0):
            return [f"{self.name}: did not end within 5 s of SIGTERM"]
        code = self.process.status
        return [f"{self.name}: exit status {code} after SIGTERM"] if code else []

    def fds(self):
        """Open descriptors of guardian and worker: {pid: count}."""
        pids = [self.guardian, self.worker()] if self.alive else []
        return {pid: fd_count(pid) for pid in pids if pid}

    def complaints(self):
        """What sanitizers wrote into the log."""
        found = SANITIZER_REPORT.findall(self.log_text())
        return [f"{self.name}: {line.strip()}" for line in found]

    def log_text(self):
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def status(self):
        return network.run(self.lab.binary, "-R", self.run_directory, "status", check=False, timeout=60)

    def history_json(self):
        return json.loads(
            network.run(self.lab.binary, "-R", self.run_directory, "history", "--json", timeout=60)
        )

    def status_json(self):
        return status_json(self.lab.binary, self.run_directory)

    def save(self):
        return {
            "kind": self.kind,
            "files": [str(path) for path in self.files],
            "process": self.process.save() if self.process else None,
        }

    @classmethod
    def adopt(cls, lab, name, saved):
        files = [pathlib.Path(path) for path in saved["files"]]
        self = cls(lab, name, [(path.name, path.read_text(encoding="utf-8")) for path in files])
        if saved["process"]:
            self.process = Process.adopt(saved["process"])
            lab.started(self.process)
        return self


class Classic:
    """keepalived, and HAProxy beside it unless `haproxy` is empty: the peers and the yardstick.  HAProxy has a
    master, as systemd starts it on Debian."""

    kind = "keepalived"
    details = ("-D",)  # a line for each announcement, and more

    def __init__(self, lab, name, keepalived, haproxy=""):
        self.lab, self.name = lab, name
        self.directory = pathlib.Path(lab.directory) / name
        self.directory.mkdir(exist_ok=True)
        self.log = self.directory / "keepalived.log"
        self.check = self.directory / "check-proxy"
        # killall would find the HAProxy of the other node too: they share the process table.
        self.check.write_text(f"#!/bin/sh\nexec kill -0 $(cat {self.directory}/haproxy.pid)\n")
        self.check.chmod(0o755)
        self.configuration = self.directory / "keepalived.conf"
        self.configuration.write_text(keepalived.replace("CHECK_PROXY", str(self.check)))
        self.proxy_configuration = self.directory / "haproxy.cfg"
        self.proxy_configuration.write_text(haproxy)
        self.keepalived = self.haproxy = None

    def start(self):
        namespace = self.lab.network.namespace(self.name)
        at = self.directory
        for stale in at.glob("*.pid"):  # a killed keepalived would refuse to start over its own
            stale.unlink()
        if self.proxy_configuration.read_text():
            self.haproxy = Process(
                f"haproxy on {self.name}",
                ["haproxy", "-W", "-db", "-f", self.proxy_configuration],
                at / "haproxy.log",
                namespace=namespace,
            )
            (at / "haproxy.pid").write_text(f"{self.haproxy.pid}\n")
            self.lab.started(self.haproxy)
        self.keepalived = Process(
            f"keepalived on {self.name}",
            ["keepalived", "-n", "-l", *self.details, "-P", "-i", self.name, "-f", self.configuration]
            + ["-p", at / "keepalived.pid", "-r", at / "vrrp.pid", "-c", at / "checkers.pid"],
            self.log,
            namespace=namespace,
        )
        self.lab.started(self.keepalived)

    @property
    def alive(self):
        return bool(self.keepalived and self.keepalived.alive)

    @property
    def status_code(self):
        return self.keepalived.status if self.keepalived else None

    def pids(self):
        return [pid for process in (self.keepalived, self.haproxy) if process for pid in process.tree()]

    def balancer(self):
        """The HAProxy that serves, below its master."""
        return descendants(self.haproxy.pid)[0]

    def worker(self):
        """The VRRP child."""
        return next(iter(descendants(self.keepalived.pid)), None)

    def wait_worker(self, timeout=5.0, other_than=None):
        return wait_until(
            lambda: (pid := self.worker()) and pid != other_than and pid, timeout, "VRRP child runs"
        )

    def terminate(self):
        self.keepalived.signal(signal.SIGTERM)
        if self.haproxy:
            self.haproxy.signal(signal.SIGTERM)

    def kill_all(self):
        """All stand still before the first ends: keepalived's child would tidy up after its parent."""
        pids = self.pids()
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                send_signal(pid, number)

    def pause(self):
        self._paused = self.pids()
        for pid in self._paused:
            send_signal(pid, signal.SIGSTOP)

    def resume(self):
        for pid in self._paused:
            send_signal(pid, signal.SIGCONT)

    def stop(self):
        for process in (self.keepalived, self.haproxy):
            if process and process.alive:
                process.stop(5.0)
        # A killed keepalived leaves its address behind; the next scenario must not inherit it.
        for address in self.lab.network.addresses(self.name) & {self.lab.vip}:
            length = 128 if ":" in address else 32
            self.lab.network.ip(self.name, "addr", "del", f"{address}/{length}", "dev",
                                self.lab.network.interfaces[self.name])  # fmt: skip
        return []

    def fds(self):
        return {}

    def complaints(self):
        return []

    def log_text(self):
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def status(self):
        return f"{self.name}: keepalived and HAProxy have no status command\n"

    def status_json(self):
        return None

"""Processes the lab started: known by pid and start time, so that no other one is ever ended."""

import contextlib
import os
import signal
import subprocess
import time


def now():
    """Seconds of CLOCK_MONOTONIC, the clock every figure of the lab is taken from."""
    return time.monotonic()


LEAST_S = 30.0


def wait_until(predicate, timeout, what, exactly=False):
    """Returns the first true value of predicate(); raises TimeoutError naming `what` (or what()).

    What has not happened within LEAST_S does not work, anything below may be the machine's doing: `timeout`
    counts only if it is longer, or if the caller wants it `exactly`."""
    timeout = timeout if exactly else max(timeout, LEAST_S)
    end = now() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if now() > end:
            what = what() if callable(what) else what
            raise TimeoutError(f"not within {timeout:g} s: {what}")
        time.sleep(0.005)


def stat(pid):
    """(state, parent, start time) of a process, or None if there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], int(fields[1]), int(fields[19])


def descendants(pid):
    """Every living descendant of pid, nearest first."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            found = stat(int(entry))
            if found and found[0] != "Z":
                children.setdefault(found[1], []).append(int(entry))
    result, queue = [], [pid]
    while queue:
        below = children.get(queue.pop(0), [])
        result += below
        queue += below
    return result


def send_signal(pid, number):
    """Sends a signal; a process that is gone already is no error."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def fd_count(pid):
    """Open descriptors of a process, or None if it is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except (FileNotFoundError, ProcessLookupError):
        return None


class Process:
    """One started program.  `log` collects its standard output and standard error."""

    def __init__(self, name, argv, log, env=None, namespace=None, realtime=False):
        self.name, self.argv, self.log = name, [str(arg) for arg in argv], str(log)
        if namespace:
            self.argv = ["ip", "netns", "exec", namespace] + self.argv
        with open(self.log, "ab") as output:
            self._popen = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        self.pid = self._popen.pid
        found = stat(self.pid)
        self.start_time = found[2] if found else 0
        if realtime:
            with contextlib.suppress(PermissionError):  # containers may refuse it
                os.sched_setscheduler(self.pid, os.SCHED_RR, os.sched_param(1))

    @classmethod
    def adopt(cls, saved):
        """The process another run of the lab started and saved."""
        self = cls.__new__(cls)
        self.name, self.argv, self.log = saved["name"], saved["argv"], saved["log"]
        self.pid, self.start_time, self._popen = saved["pid"], saved["start_time"], None
        return self

    def save(self):
        return {key: getattr(self, key) for key in ("name", "argv", "log", "pid", "start_time")}

    @property
    def alive(self):
        if self._popen and self._popen.poll() is not None:
            return False
        found = stat(self.pid)
        return bool(found and found[0] != "Z" and found[2] == self.start_time)

    @property
    def status(self):
        """Exit status as subprocess has it; None while alive or when not our child."""
        return self._popen.poll() if self._popen else None

    def tree(self):
        """Pids of this process and all below it."""
        return [self.pid] + descendants(self.pid) if self.alive else []

    def signal(self, number):
        if self.alive:
            send_signal(self.pid, number)

    def wait_gone(self, timeout):
        wait_until(lambda: not self.alive, timeout, f"{self.name} (pid {self.pid}) has ended")
        return self.status

    def stop(self, timeout=3.0):
        """SIGTERM, then SIGKILL to the whole tree.  True if SIGTERM was enough."""
        tree = self.tree()
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.wait_gone(timeout)
            return True
        except TimeoutError:
            for pid in reversed(tree):
                send_signal(pid, signal.SIGKILL)
            self.wait_gone(2)
            return False

    def kill_all(self):
        """SIGKILL to every process of the tree; those of our group at once, so that none of them
        can react to the end of another."""
        tree = self.tree()
        if tree and os.getpgid(self.pid) == self.pid:
            os.killpg(self.pid, signal.SIGKILL)
        for pid in tree:
            send_signal(pid, signal.SIGKILL)

    def output(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

"""measure.py - the traffic, the rounds, and what is read before and after."""

import contextlib
import json
import os
import signal
import subprocess
import time

from processes import BenchError, cpu_seconds, free_ports, prepare_child, private_bytes, wait_until
from subjects import SUBJECTS

IDLE_WATCH_S = 2.0


def say(text):
    print(text, flush=True)


class Scenario:
    """One kind of traffic.  `count` is what the figures are divided by."""

    def __init__(self, name, title, unit, arguments, count, warm_up=None, splice=False):
        self.name = name
        self.title = title
        self.unit = unit
        self.arguments = arguments
        self.count = count
        self.warm_up = warm_up
        self.splice = splice


def scenarios(quick):
    requests, connections = (60000, 10000) if quick else (200000, 30000)
    bulk = ["--mode", "bulk", "--clients", "4", "--bytes"]
    keepalive = ["--mode", "keepalive", "--clients", "64", "--requests"]
    connect = ["--mode", "connect", "--clients", "64", "--requests"]
    idle = ["--mode", "idle", "--clients"]
    return [
        Scenario(
            "keepalive",
            "64 keep-alive clients, tiny requests",
            "µs/request",
            keepalive + [str(requests)],
            requests / 1e6,
            keepalive + ["5000"],
        ),
        Scenario(
            "connect",
            "one connection per request",
            "µs/connection",
            connect + [str(connections)],
            connections / 1e6,
            connect + ["1000"],
        ),
        Scenario(
            "bulk",
            "1 GiB in 4 downloads",
            "ms/GiB",
            bulk + [str(256 << 20)],
            1 / 1e3,
            bulk + [str(1 << 20)],
            splice=True,
        ),
        Scenario("idle", "8,000 idle connections", "byte/connection", idle + ["8000"], 8000),
    ]


class Bench:
    def __init__(self, options, directory):
        self.options = options
        self.directory = directory
        cpus = sorted(os.sched_getaffinity(0))
        self.load_cpu, self.proxy_cpu = cpus[0], cpus[-1]
        names = options.subjects
        ports = free_ports(2 * len(names))
        # A server address each: the port numbers towards it are the subject's own.
        self.subjects = {
            name: SUBJECTS[name](
                name,
                self,
                f"127.0.0.1:{ports[2 * i]}",
                f"127.0.0.{2 + i}:{ports[2 * i + 1]}",
            )
            for i, name in enumerate(names)
        }
        self.results = []
        self.syscalls = {}

    def tool(self, name):
        return os.path.join(self.options.build, "tests", "bench", f"bench-{name}")

    def popen_tool(self, name, arguments, **kwargs):
        return subprocess.Popen(
            [self.tool(name), *arguments], preexec_fn=prepare_child(self.load_cpu), **kwargs
        )

    def load(self, subject, arguments):
        """Runs the clients to their end; returns what they say."""
        limit = str(self.options.limit)
        arguments = ["--to", subject.listen, "--limit", limit, *arguments]
        process = self.popen_tool(
            "load", arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
        try:
            out, _ = process.communicate(timeout=self.options.limit + 10)
        finally:
            process.kill()
            process.wait()
        return judged(subject, json.loads(out))

    # ------------------------------------------------------------ measuring

    def measure(self, subject, scenario):
        subject.start(scenario.splice)
        try:
            if scenario.name == "idle":
                return self.measure_idle(subject, scenario)
            self.load(subject, scenario.warm_up)
            pids = subject.pids()
            before = cpu_seconds(pids)
            said = self.load(subject, scenario.arguments)
            spent = cpu_seconds(pids) - before
            subject.pids()
            return {"value": spent / scenario.count, "seconds": said["seconds"]}
        finally:
            subject.stop()

    def measure_idle(self, subject, scenario):
        self.load(subject, ["--mode", "keepalive", "--clients", "64", "--requests", "2000"])
        pids = subject.pids()
        before = private_bytes(pids)
        limit = str(self.options.limit)
        arguments = ["--to", subject.listen, "--limit", limit, *scenario.arguments]
        process = self.popen_tool(
            "load", arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            said = judged(subject, json.loads(process.stdout.readline() or "{}"))
            time.sleep(0.5)
            cpu_before = cpu_seconds(pids)
            time.sleep(IDLE_WATCH_S)
            cpu = cpu_seconds(pids) - cpu_before
            used = private_bytes(pids) - before
            rest, _ = process.communicate(timeout=10)
        finally:
            process.kill()
            process.wait()
        lost = json.loads(rest)["lost"]
        if lost:
            raise BenchError(f"{subject.name} closed {lost} idle connections")
        return {
            "value": used / scenario.count,
            "seconds": said["seconds"],
            "cpu_share": cpu / IDLE_WATCH_S,
        }

    def run_rounds(self, names):
        todo = [s for s in scenarios(self.options.quick) if s.name in self.options.scenarios]
        for number in range(self.options.rounds):
            turn = number % len(names)
            for scenario in todo:
                for name in names[turn:] + names[:turn]:
                    result = self.measure(self.subjects[name], scenario)
                    result.update(round=number, subject=name, scenario=scenario.name)
                    self.results.append(result)
                    say(
                        f"round {number + 1}/{self.options.rounds}  {scenario.name:10}"
                        f" {name:8} {result['value']:9.1f} {scenario.unit}"
                    )

    # ------------------------------------------------------------ syscalls

    def count_syscalls(self, names):
        """A short run of its own under strace, which slows the proxy: no time is taken from it."""
        for scenario, count in (("keepalive", 20000), ("connect", 3000)):
            for name in names:
                subject = self.subjects[name]
                subject.start()
                try:
                    self.load(subject, ["--mode", scenario, "--clients", "64", "--requests", "1000"])
                    with self.strace(subject) as summary:
                        arguments = ["--mode", scenario, "--clients", "64"]
                        self.load(subject, arguments + ["--requests", str(count)])
                    calls = {call: n / count for call, n in read_strace(summary).items()}
                finally:
                    subject.stop()
                self.syscalls.setdefault(scenario, {})[name] = calls
                say(f"syscalls   {scenario:10} {name:8} {sum(calls.values()):9.2f} each")

    @contextlib.contextmanager
    def strace(self, subject):
        summary = subject.path(f"{subject.name}.strace")
        pids = subject.pids()
        attach = [part for pid in pids for part in ("-p", str(pid))]
        # The tracer stays off the proxy's CPU, or each would wait for the other.
        tracer = subprocess.Popen(
            ["strace", "-q", "-c", "-f", "-o", summary, *attach],
            preexec_fn=prepare_child(self.load_cpu),
        )
        try:
            wait_until(lambda: all(traced(pid) for pid in pids), "strace does not attach")
            yield summary
        finally:
            tracer.send_signal(signal.SIGINT)
            try:
                tracer.wait(10)
            except subprocess.TimeoutExpired:
                tracer.kill()
                tracer.wait()


def judged(subject, said):
    if not said.get("complete"):
        raise BenchError(f"{subject.name}: not done in time: {said}")
    if said["errors"]:
        raise BenchError(f"{subject.name}: {said['errors']} requests failed: {said}")
    return said


def traced(pid):
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as status:
            if "\nTracerPid:\t0\n" in status.read():
                return False
    return True


def read_strace(path):
    calls = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            words = line.split()
            if len(words) >= 5 and words[0][0].isdigit() and words[-1] != "total":
                calls[words[-1]] = int(words[3])
    return calls

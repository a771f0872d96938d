"""measure.py - the traffic, the rounds, and what is read before and after."""

import contextlib
import dataclasses
import json
import os
import signal
import socket
import statistics
import subprocess
import time

from processes import BenchError, cpu_seconds, free_ports, prepare_child, private_bytes, wait_until
from subjects import SUBJECTS

IDLE_WATCH_S = 2.0
CHECKED_SERVERS = 10000
CHECKED_ADDRESSES = 100
CHECK_SETTLE_S = 4  # the first checks come sooner than the later ones
CHECK_WATCH_S = 6  # whole intervals, see README.md


def say(text):
    print(text, flush=True)


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One kind of traffic.  `slices` a round; `per` is what a slice's figure is divided by."""

    name: str
    title: str
    unit: str
    arguments: list = dataclasses.field(default_factory=list)
    per: float = 1
    slices: int = 1
    warm_up: list = dataclasses.field(default_factory=list)
    splice: bool = False
    tls: bool = False
    threads: int = 1
    tcplog: bool = False
    more_servers: tuple = ()  # how many are checked besides, and how many addresses they share
    without: tuple = ()  # subjects that take no part


def scenarios(quick):
    requests, connections, slices = (40000, 5000, 3) if quick else (60000, 8000, 4)
    keepalive = ["--mode", "keepalive", "--clients", "64", "--requests"]
    connect = ["--mode", "connect", "--clients", "64", "--requests"]
    bulk = ["--mode", "bulk", "--clients", "4", "--bytes"]

    def plain_keepalive(name, title, **more):
        return Scenario(
            name,
            f"64 keep-alive clients, tiny requests{title}",
            "µs/request",
            keepalive + [str(requests)],
            requests / 1e6,
            slices,
            keepalive + ["5000"],
            **more,
        )

    def plain_connect(name, title, **more):
        return Scenario(
            name,
            f"one connection per request{title}",
            "µs/connection",
            connect + [str(connections)],
            connections / 1e6,
            slices,
            connect + ["1000"],
            **more,
        )

    return [
        plain_keepalive("keepalive", ""),
        plain_connect("connect", ""),
        plain_connect("connect-log", ", tcplog", tcplog=True, without=("nginx",)),
        plain_keepalive("keepalive-2", ", two threads", threads=2, without=("relay",)),
        plain_connect("connect-2", ", two threads", threads=2, without=("relay",)),
        Scenario(
            "bulk",
            "1 GiB in 4 downloads",
            "ms/GiB",
            bulk + [str(256 << 20)],
            1 / 1e3,
            1 if quick else 2,
            bulk + [str(1 << 20)],
            splice=True,
        ),
        Scenario(
            "idle",
            "8,000 idle connections",
            "byte/connection",
            ["--mode", "idle", "--clients", "8000"],
            8000,
            1,
            keepalive + ["2000"],
        ),
        *tls_scenarios(quick, keepalive, connect),
        *(
            Scenario(
                name,
                f"{CHECKED_SERVERS:,} servers on {count} address{'es'[:2 * (count > 1)]},"
                " each checked every 2 s",
                "% of a core",
                warm_up=keepalive + ["500"],
                more_servers=(CHECKED_SERVERS, count),
                without=("relay", "nginx"),
            )
            for name, count in (("checks", 1), ("checks-spread", CHECKED_ADDRESSES))
        ),
    ]


def tls_scenarios(quick, keepalive, connect):
    """TLS 1.3 with the clients, on a certificate with a P-256 key; the server is plain."""
    requests, full, resumed, slices = (30000, 1000, 1500, 3) if quick else (50000, 2000, 3000, 4)
    tls = ["--tls"]
    return [
        Scenario(
            "tls-keepalive",
            "TLS: 64 keep-alive clients, tiny requests",
            "µs/request",
            tls + keepalive + [str(requests)],
            requests / 1e6,
            slices,
            tls + keepalive + ["5000"],
            tls=True,
            without=("relay",),
        ),
        Scenario(
            "tls-full",
            "TLS: a full handshake per request",
            "µs/connection",
            tls + connect + [str(full)],
            full / 1e6,
            slices,
            tls + connect + ["200"],
            tls=True,
            without=("relay",),
        ),
        Scenario(
            "tls-resumed",
            "TLS: a resumed handshake per request",
            "µs/connection",
            tls + ["--resume"] + connect + [str(resumed)],
            resumed / 1e6,
            slices,
            tls + connect + ["200"],
            tls=True,
            without=("relay",),
        ),
        Scenario(
            "tls-idle",
            "TLS: 8,000 idle connections",
            "byte/connection",
            tls + ["--mode", "idle", "--clients", "8000"],
            8000,
            1,
            tls + keepalive + ["2000"],
            tls=True,
            without=("relay",),
        ),
    ]


class Bench:
    def __init__(self, options, directory):
        self.options = options
        self.directory = directory
        cpus = sorted(os.sched_getaffinity(0))
        self.load_cpus, self.proxy_cpus = cpus[:1], cpus
        self.log_socket = None
        names = options.subjects
        ports = free_ports(3 * len(names))
        # A server address each: the port numbers towards it are the subject's own.
        self.subjects = {
            name: SUBJECTS[name](
                name,
                self,
                f"127.0.0.1:{ports[3 * i]}",
                f"127.0.0.{2 + i}:{ports[3 * i + 1]}",
                [f"127.0.1.{1 + k}:{ports[3 * i + 2]}" for k in range(CHECKED_ADDRESSES)],
            )
            for i, name in enumerate(names)
        }
        self.results = []
        self.syscalls = {}

    def certificate(self):
        """A file with a certificate and its key, made when it is first asked for."""
        pem = os.path.join(self.directory, "bench.pem")
        if os.path.exists(pem):
            return pem
        key = os.path.join(self.directory, "bench.key")
        made = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
            + ["-nodes", "-subj", "/CN=bench", "-days", "2", "-keyout", key, "-out", pem],
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise BenchError(f"no certificate: {made.stderr}")
        with open(key, encoding="ascii") as file, open(pem, "a", encoding="ascii") as both:
            both.write(file.read())
        os.chmod(pem, 0o644)
        return pem

    def log_sink(self):
        """Where log datagrams may go, "address:port": nobody reads them there, nor refuses them."""
        if not self.log_socket:
            self.log_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.log_socket.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % self.log_socket.getsockname()[1]

    def tool(self, name):
        return os.path.join(self.options.build, "tests", "bench", f"bench-{name}")

    def popen_tool(self, name, arguments, **kwargs):
        return subprocess.Popen(
            [self.tool(name), *arguments], preexec_fn=prepare_child(self.load_cpus), **kwargs
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

    @contextlib.contextmanager
    def started(self, names, scenario):
        """The subjects, fresh and warmed up."""
        subjects = [self.subjects[name] for name in names]
        try:
            for subject in subjects:
                subject.start(scenario)
                self.load(subject, scenario.warm_up)
            yield subjects
        finally:
            for subject in subjects:
                subject.stop()

    def run_rounds(self):
        todo = [s for s in scenarios(self.options.quick) if s.name in self.options.scenarios]
        for number in range(self.options.rounds):
            for scenario in todo:
                self.run_round(number, scenario)

    def run_round(self, number, scenario):
        names = [n for n in self.subjects if n not in scenario.without]
        if not names:
            return
        with self.started(names, scenario) as subjects:
            if scenario.more_servers:
                results = self.measure_checks(subjects)
            else:
                results = self.take_turns(number, scenario, subjects)
        for result in results:
            result.update(scenario=scenario.name, round=number)
        self.results += results
        figures = "  ".join(f"{name} {middle(results, name):,.1f}" for name in names)
        say(f"{number + 1}/{self.options.rounds} {scenario.name:14} {figures}  {scenario.unit}")

    def take_turns(self, number, scenario, subjects):
        idle = scenario.name in ("idle", "tls-idle")
        measure = self.measure_idle if idle else self.measure_cpu
        results = []
        for part in range(scenario.slices):
            turn = (number + part) % len(subjects)
            for subject in subjects[turn:] + subjects[:turn]:
                result = measure(subject, scenario)
                result.update(subject=subject.name, slice=part)
                results.append(result)
        return results

    def measure_checks(self, subjects):
        """All subjects check all the time: what each costs in the same seconds."""
        time.sleep(CHECK_SETTLE_S)
        pids = {subject.name: subject.pids() for subject in subjects}
        before = {name: cpu_seconds(pids[name]) for name in pids}
        time.sleep(CHECK_WATCH_S)
        return [
            {
                "subject": name,
                "slice": 0,
                "value": 100 * (cpu_seconds(pids[name]) - before[name]) / CHECK_WATCH_S,
                "seconds": CHECK_WATCH_S,
            }
            for name in pids
        ]

    def measure_cpu(self, subject, scenario):
        pids = subject.pids()
        before = cpu_seconds(pids)
        said = self.load(subject, scenario.arguments)
        spent = cpu_seconds(pids) - before
        if subject.pids() != pids:
            raise BenchError(f"{subject.name}: a process came or went while it was measured")
        return {"value": spent / scenario.per, "seconds": said["seconds"]}

    def measure_idle(self, subject, scenario):
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
            "value": used / scenario.per,
            "seconds": said["seconds"],
            "cpu_share": cpu / IDLE_WATCH_S,
        }

    # ------------------------------------------------------------ syscalls

    def count_syscalls(self):
        """A short run of its own under strace, which slows the proxy: no time is taken from it."""
        plain = {s.name: s for s in scenarios(self.options.quick)}
        for scenario, count in (("keepalive", 20000), ("connect", 3000)):
            for name, subject in self.subjects.items():
                subject.start(plain[scenario])
                arguments = ["--mode", scenario, "--clients", "64", "--requests"]
                try:
                    self.load(subject, arguments + ["1000"])
                    with self.strace(subject) as summary:
                        self.load(subject, arguments + [str(count)])
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
            preexec_fn=prepare_child(self.load_cpus),
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


def middle(results, name):
    return statistics.median(r["value"] for r in results if r["subject"] == name)


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

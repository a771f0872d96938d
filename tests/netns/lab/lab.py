"""The laboratory: nodes, web servers, the pair, the client, and a clean table afterwards."""

import atexit
import collections
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile

from . import config
from .network import Network, run, sweep
from .node import Classic, Tandem
from .process import Process, now, wait_until
from .watch import AddressWatch, Capture

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAMS = pathlib.Path(__file__).resolve().parent.parent / "programs"
PYTHON = "/usr/bin/python3"
PAIR = ("lb1", "lb2")


def _is_abandoned(name):
    """Does td<pid>-... belong to a run whose process is gone?"""
    owner = name.removeprefix("td").partition("-")[0]
    return name.startswith("td") and owner.isdigit() and not os.path.exists(f"/proc/{owner}")


def sweep_abandoned():
    """Removes the namespaces, processes and directories of earlier runs that were killed."""
    for line in run("ip", "netns", "list").splitlines():
        name = line.split()[0] if line else ""
        if _is_abandoned(name):
            sweep(name.partition("-")[0])
    for directory in pathlib.Path(tempfile.gettempdir()).glob("tandem-td*"):
        if _is_abandoned(directory.name.removeprefix("tandem-")):
            shutil.rmtree(directory, ignore_errors=True)


class Probe:
    """The client that asks every 10 ms, and the arithmetic over what it saw."""

    def __init__(self, lab, address, port, every_ms=10, limit_ms=250):
        self.every_ms = every_ms
        self._log = pathlib.Path(lab.directory) / f"probe-{now():.3f}.log"
        self._process = Process(
            "probe",
            [PYTHON, PROGRAMS / "probe.py", address, port, every_ms, limit_ms],
            self._log,
            namespace=lab.network.namespace("client"),
            realtime=True,  # what it measures must not be its own lateness
        )
        lab.started(self._process)
        self._file = open(self._log, encoding="utf-8")
        self._tail = ""
        self.launches = []  # (launch time in s, ok, word, server), in order of completion

    def poll(self):
        """Reads what is new."""
        lines = (self._tail + self._file.read()).split("\n")
        self._tail = lines.pop()
        for line in lines:
            launched, _, word, server = line.split()
            self.launches.append((int(launched) / 1e9, word == "ok", word, server))
        return self.launches

    def wait_ok(self, in_a_row=30, timeout=15.0, exactly=False):
        """Waits until that many launches, all from now on, were answered in a row."""
        since = now()

        def calm():
            recent = self.poll()[-in_a_row:]
            return len(recent) == in_a_row and all(e[0] >= since and e[1] for e in recent)

        wait_until(calm, timeout, f"{in_a_row} requests answered in a row", exactly)

    def stop(self):
        self._process.stop(3)
        self.poll()
        self._file.close()

    def between(self, since, until):
        return sorted(entry for entry in self.launches if since <= entry[0] < until)

    def failed(self, since=0.0, until=float("inf")):
        return [entry for entry in self.between(since, until) if not entry[1]]

    def lost(self, since=0.0, until=float("inf")):
        """What failed by more than being late: refused, reset, cut off, answered wrongly."""
        return [entry for entry in self.failed(since, until) if entry[2] != "timeout"]

    def words(self, since=0.0, until=float("inf")):
        """What went wrong, and how often: `ECONNRESET 1, timeout 4`; empty if nothing did."""
        lost = collections.Counter(entry[2] for entry in self.failed(since, until))
        return ", ".join(f"{word} {n}" for word, n in sorted(lost.items()))

    def outage_ms(self, since=0.0, until=float("inf")):
        """The longest stretch of launches that failed: first failed to next answered."""
        longest, start, last = 0.0, None, None
        for time, ok, _, _ in self.between(since, until):
            if ok and start is not None:
                longest, start = max(longest, time - start), None
            elif not ok and start is None:
                start = time
            last = time
        if start is not None:
            longest = max(longest, last - start + self.every_ms / 1000)
        return longest * 1000


class Lab:
    """Use as a context manager, or keep=True to leave it running for `attach`."""

    def __init__(self, prefix=None, build=None, keep=False, directory=None):
        self.prefix = prefix or f"td{os.getpid()}"
        build = pathlib.Path(build or os.environ.get("TANDEM_BUILD") or ROOT / "build")
        self.binary = str((build / "daemon" / "tandem").resolve())
        self.installed = self.binary  # what nodes are started from; commands are given with `binary`
        self.keep = keep
        self.directory = directory or tempfile.mkdtemp(prefix=f"tandem-{self.prefix}-")
        os.makedirs(self.directory, exist_ok=True)
        os.chmod(self.directory, 0o755)
        self.vip = config.VIP
        self.network = Network(self.prefix)
        self.processes = []
        self.nodes = {}
        self.webs = {}
        self.watch = None
        atexit.register(self._last_resort)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down()

    def started(self, process):
        self.processes.append(process)

    def up(self, interface="eth1", extra=None):
        """Builds the network and starts the web servers.  extra: node -> further addresses."""
        sweep(self.prefix)
        self.network.build(
            {
                node: (
                    interface if node in PAIR else "eth1",
                    [f"{address}/24", f"{config.ADDRESSES6[node]}/64", *(extra or {}).get(node, [])],
                )
                for node, address in config.ADDRESSES.items()
            }
        )
        for web in config.WEBS:
            self.start_web(web)
        self.watch = AddressWatch(self.network, PAIR)
        return self

    def start_web(self, web, port=80):
        log = f"{self.directory}/{web}.log"
        self.webs[web] = Process(
            web, [PYTHON, PROGRAMS / "web.py", web, port], log, namespace=self.network.namespace(web)
        )
        self.started(self.webs[web])
        wait_until(lambda: "listens" in self.webs[web].output(), 10, f"{web} listens")

    # The pair

    def tandem(self, name, pair, proxy=None, files=None):
        """Makes (does not start) Tandem on a node, from one shared file or from `files`."""
        self.vip = pair.vip_address
        proxy = config.proxy() if proxy is None else proxy
        files = files or [("tandem.conf", pair.vrrp() + "\n" + proxy)]
        self.nodes[name] = Tandem(self, name, files)
        return self.nodes[name]

    def classic(self, name, pair, proxy=None):
        """Makes keepalived with HAProxy on a node; proxy="" for keepalived alone."""
        self.vip = pair.vip_address
        proxy = config.proxy() if proxy is None else proxy
        self.nodes[name] = Classic(self, name, pair.vrrp(), proxy)
        return self.nodes[name]

    def start_pair(self, master="lb1", timeout=15.0):
        """Starts both nodes and waits until the one expected to holds the address alone."""
        for name in PAIR:
            self.nodes[name].start()
        self.watch.wait_holders(self.vip, [master], timeout)

    def stop_pair(self):
        """Ends both as an operator would.  Returns everything that was not as it must be."""
        problems = []
        for name in reversed(PAIR):
            if name in self.nodes:
                node = self.nodes[name]
                problems += node.stop() + node.complaints()
        for name in PAIR:
            if name not in self.nodes:
                continue
            if self.vip in self.network.addresses(name):
                problems.append(f"{name}: still holds {self.vip}")
            if left := self.network.inhabitants(name):
                problems.append(f"{name}: processes left: {left}")
        self.nodes = {}
        return problems

    # The client

    def probe(self, **more):
        return Probe(self, self.vip, 80, **more)

    def occupy(self, node, port):
        """Another program on the node serves this port: it is taken.  The process."""
        argv = [PYTHON, "-m", "http.server", port]
        log = f"{self.directory}/{node}-{port}.log"
        other = Process("another program", argv, log, namespace=self.network.namespace(node))
        self.started(other)
        asked = f"until curl -s localhost:{port}; do :; done"
        self.network.exec(node, "timeout", "60", "sh", "-c", asked)
        return other

    def hold(self, count, timeout=60.0):
        """Opens `count` connections through the address and leaves them open."""
        log = f"{self.directory}/hold-{now():.3f}.log"
        argv = [PYTHON, PROGRAMS / "hold.py", self.vip, 80, count]
        process = Process("hold", argv, log, namespace=self.network.namespace("client"))
        self.started(process)
        wait_until(lambda: "open " in process.output(), timeout, f"{count} connections are open")
        opened = int(process.output().split("open ")[1].split()[0])
        if opened < count:
            raise RuntimeError(f"only {opened} of {count} connections could be opened")
        return process

    def ask(self, address=None, port=80, timeout=10):
        """One request; the answer's text, or '' if there was none."""
        address = address or self.vip
        url = f"http://[{address}]:{port}/" if ":" in address else f"http://{address}:{port}/"
        argv = ["curl", "-s", "-m", str(timeout), url]
        return self.network.exec("client", *argv, check=False).strip()

    def capture(self, name, port="br0"):
        return Capture(self.network, self.directory, name, port)

    # End, and life beyond one run

    def logs(self, lines=60):
        """The last lines of every node's log, for the reader of a failure."""
        parts = []
        for node in self.nodes.values():
            tail = node.log_text().splitlines()[-lines:]
            state = "running" if node.alive else f"ended, status {node.status_code}"
            parts.append("\n".join([f"--- {node.name} ({node.kind}, {state}) ---", *tail]))
        return "\n".join(parts)

    def down(self):
        """Ends everything at once; what must be proven about a graceful end is in stop_pair."""
        if self.watch:
            self.watch.close()
            self.watch = None
        for process in reversed(self.processes):
            process.kill_all()
        self.processes = []
        self.network.remove()
        shutil.rmtree(self.directory, ignore_errors=True)
        self.keep = True  # nothing is left for the last resort

    def _last_resort(self):
        if not self.keep:
            self.down()

    def save(self):
        state = {
            "prefix": self.prefix,
            "vip": self.vip,
            "build": str(pathlib.Path(self.binary).parents[1]),
            "interfaces": self.network.interfaces,
            "nodes": {name: node.save() for name, node in self.nodes.items()},
            "webs": {name: process.save() for name, process in self.webs.items()},
        }
        path = pathlib.Path(self.directory) / "state.json"
        path.write_text(json.dumps(state, indent=1), encoding="utf-8")

    @classmethod
    def attach(cls, directory):
        """The lab that an earlier run left behind, or None."""
        try:
            text = (pathlib.Path(directory) / "state.json").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        state = json.loads(text)
        self = cls(state["prefix"], state["build"], keep=True, directory=str(directory))
        self.vip = state["vip"]
        self.network.interfaces = state["interfaces"]
        for name, saved in state["webs"].items():
            self.webs[name] = Process.adopt(saved)
            self.started(self.webs[name])
        for name, saved in state["nodes"].items():
            self.nodes[name] = Tandem.adopt(self, name, saved)
        self.watch = AddressWatch(self.network, PAIR)
        return self


def end_on_signals():
    """SIGTERM and SIGHUP end the run in order, so that the table is cleaned."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _: sys.exit(128 + n))

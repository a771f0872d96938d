"""Namespaces, one bridge between them, and the faults a network can have."""

import contextlib
import ctypes
import json
import os
import signal
import subprocess

from .process import send_signal, wait_until

SWITCH = "sw"
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def run(*argv, check=True, **more):
    """Runs a command to its end; its error text becomes the exception's."""
    done = subprocess.run([str(arg) for arg in argv], text=True, capture_output=True, **more)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(map(str, argv))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


@contextlib.contextmanager
def inside(namespace):
    """The calling thread is in the namespace for the length of the block; sockets stay there."""

    def enter(path):
        with open(path, "rb") as file:
            if _libc.setns(file.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"setns {path}")

    enter_back = os.open(f"/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        enter(f"/run/netns/{namespace}")
        yield
    finally:
        if _libc.setns(enter_back, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns back")
        os.close(enter_back)


def sweep(prefix):
    """Ends what runs inside the namespaces of this prefix and removes them."""
    names = [line.split()[0] for line in run("ip", "netns", "list").splitlines() if line]
    for name in names:
        if not name.startswith(prefix + "-"):
            continue

        def inhabitants(name=name):
            return [int(pid) for pid in run("ip", "netns", "pids", name, check=False).split()]

        for pid in inhabitants():
            send_signal(pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: not inhabitants(), 3, f"{name} is empty")
        run("ip", "netns", "del", name, check=False)


class Network:
    """A switch with one port for each node; a node's interface is its only one beside lo,
    unless `second` gives it another."""

    def __init__(self, prefix):
        self.prefix = prefix
        self.interfaces = {}
        self._addresses = {}

    def namespace(self, node):
        return f"{self.prefix}-{node}"

    def build(self, nodes):
        """nodes: name -> (interface name, [address/prefix, ...])."""
        self._add(SWITCH)
        self._bridge("br0")
        for node, (interface, addresses) in nodes.items():
            self._add(node)
            self.interfaces[node] = interface
            self._addresses[node] = addresses
            self.plug_in(node)

    def plug_in(self, node):
        """The node's interface comes into being, with its addresses."""
        self._plug("br0", node, node, self.interfaces[node], self._addresses[node])

    def unplug(self, node):
        """The node's interface ceases to be; plug_in makes another of the same name."""
        self.ip(SWITCH, "link", "del", node)

    def second(self, nodes):
        """A second switch: node -> (interface name, [address/prefix, ...]); its ports are NODE-2."""
        self._bridge("br1")
        for node, (interface, addresses) in nodes.items():
            self._plug("br1", f"{node}-2", node, interface, addresses)

    def _bridge(self, name):
        self.ip(SWITCH, "link", "add", name, "type", "bridge", "mcast_snooping", "0")
        self.ip(SWITCH, "link", "set", name, "up")

    def _plug(self, bridge, port, node, interface, addresses):
        self.ip(SWITCH, "link", "add", "name", port, "type", "veth",
                "peer", "name", interface, "netns", self.namespace(node))  # fmt: skip
        self.ip(SWITCH, "link", "set", port, "master", bridge, "up")
        for address in addresses:
            self.ip(node, "addr", "add", address, "dev", interface, "nodad"
                    if ":" in address else "brd", *([] if ":" in address else ["+"]))  # fmt: skip
        self.ip(node, "link", "set", interface, "up")

    def _add(self, node):
        run("ip", "netns", "add", self.namespace(node))
        self.ip(node, "link", "set", "lo", "up")

    def remove(self):
        sweep(self.prefix)

    def ip(self, node, *args):
        return run("ip", "-n", self.namespace(node), *args)

    def exec(self, node, *argv, **more):
        return run("ip", "netns", "exec", self.namespace(node), *argv, **more)

    def addresses(self, node):
        """Set of addresses (without prefix) on the node's interfaces, loopback aside."""
        found = json.loads(self.ip(node, "-j", "addr") or "[]")
        return {
            info["local"]
            for link in found
            if link.get("ifname") != "lo"
            for info in link.get("addr_info", [])
            if info.get("scope") != "link"
        }

    def mac(self, node):
        return json.loads(self.ip(node, "-j", "link", "show", self.interfaces[node]))[0]["address"]

    def inhabitants(self, node):
        return [int(pid) for pid in run("ip", "netns", "pids", self.namespace(node)).split()]

    # Faults: each is undone by its counterpart.

    def link(self, node, up):
        """The administrator takes the node's interface down or up."""
        self.ip(node, "link", "set", self.interfaces[node], "up" if up else "down")

    def carrier(self, node, up):
        """The cable: the switch's side goes, the node sees its carrier go."""
        self.ip(SWITCH, "link", "set", node, "up" if up else "down")

    def port(self, node, forwarding):
        """The switch forwards nothing from or to the node, whose carrier stays."""
        self.exec(SWITCH, "bridge", "link", "set", "dev", node, "state", 3 if forwarding else 0)

    def lose_way(self, node, addresses):
        """Packets of the node to these addresses vanish in the switch."""
        rules = (
            "table bridge lab { chain forward { type filter hook forward priority 0; "
            f'iifname "{node}" ip daddr {{ {", ".join(addresses)} }} drop; }}; }}'
        )
        self.exec(SWITCH, "nft", rules)

    def find_way(self):
        self.exec(SWITCH, "nft", "delete table bridge lab")

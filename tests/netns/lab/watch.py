"""Observers: who holds an address at which moment, and what was said on the wire."""

import json
import os
import pathlib
import selectors
import signal
import socket
import struct
import threading

from .network import SWITCH, inside, run
from .process import Process, now, wait_until

RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR = 0x10, 0x100
RTM_NEWADDR, RTM_DELADDR = 20, 21
IFA_ADDRESS, IFA_LOCAL = 1, 2


def _address_changes(data):
    """Yields (address, added) of the netlink messages in data."""
    while len(data) >= 16:
        length, kind = struct.unpack_from("=IH", data)
        if kind in (RTM_NEWADDR, RTM_DELADDR):
            family = data[16]
            at, found = 24, {}
            while at + 4 <= length:
                size, attribute = struct.unpack_from("=HH", data, at)
                found[attribute] = data[at + 4 : at + size]
                at += max((size + 3) & ~3, 4)
            raw = found.get(IFA_LOCAL) or found.get(IFA_ADDRESS)
            if raw and family in (socket.AF_INET, socket.AF_INET6):
                yield socket.inet_ntop(family, raw), kind == RTM_NEWADDR
        data = data[(length + 3) & ~3 :]


class AddressWatch:
    """Listens to the kernel of each node; every appearance and disappearance gets its time."""

    def __init__(self, network, nodes):
        self._lock = threading.Lock()
        self._events = []  # (time, node, address, added), in order
        self._held = {node: set() for node in nodes}
        self._selector = selectors.DefaultSelector()
        for node in nodes:
            with inside(network.namespace(node)):
                sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
            sock.bind((0, RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self._selector.register(sock, selectors.EVENT_READ, node)
            for address in network.addresses(node):
                self._note(node, address, True)
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        self._stop = True
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()

    def _note(self, node, address, added):
        with self._lock:
            held = self._held[node]
            if (address in held) != added:  # a renewal is no change
                (held.add if added else held.discard)(address)
                self._events.append((now(), node, address, added))

    def _run(self):
        while not self._stop:
            for key, _ in self._selector.select(0.2):
                for address, added in _address_changes(key.fileobj.recv(65536)):
                    self._note(key.data, address, added)

    def holders(self, address):
        with self._lock:
            return sorted(node for node, held in self._held.items() if address in held)

    def holder(self, address):
        """The nodes that hold the address, as a word for people."""
        return "+".join(self.holders(address)) or "nobody"

    def events(self, address, since=0.0):
        with self._lock:
            return [e for e in self._events if e[2] == address and e[0] >= since]

    def removed(self, node, since):
        """[(time, address)] of all that the node has lost."""
        with self._lock:
            return [(at, gone) for at, who, gone, added in self._events if who == node and not added and at >= since]

    def spans(self, address, node):
        """[(from, to)] in which the node held the address; to is now if it still does."""
        result, start = [], None
        for time, who, _, added in self.events(address):
            if who != node:
                continue
            if added:
                start = time
            elif start is not None:
                result.append((start, time))
                start = None
        return result + ([(start, now())] if start is not None else [])

    def overlap(self, address, one, other, since):
        """Seconds after `since` in which both nodes held the address."""
        return sum(
            max(0.0, min(a[1], b[1]) - max(a[0], b[0], since))
            for a in self.spans(address, one)
            for b in self.spans(address, other)
        )

    def wait_holders(self, address, nodes, timeout, exactly=False):
        nodes = sorted(nodes)
        wait_until(
            lambda: self.holders(address) == nodes,
            timeout,
            lambda: f"{address} is held by {'+'.join(nodes) or 'nobody'} "
            f"(it is by {self.holder(address)})",
            exactly,
        )


# VRRP, ARP, neighbour advertisements (not errors, which quote the packets they are about), and the mark
# by which a capture knows its end.
MARK = 0x88B5  # an EtherType for local experiments
CAPTURED = f"ip proto 112 or ip6 proto 112 or arp or (icmp6 and ip6[40] = 136) or ether proto {MARK}"


class Capture:
    """VRRP, ARP and neighbour advertisements on one switch port, or on the whole switch, read back through tshark."""

    def __init__(self, network, directory, name, port="br0"):
        self.network = network
        self.file = f"{directory}/{name}.pcap"
        log = f"{directory}/{name}.tcpdump.log"
        self._process = Process(
            f"tcpdump-{name}",
            ["tcpdump", "-i", port, "--immediate-mode", "-U", "-s", "0", "-n", "-w", self.file, CAPTURED],
            log,
            namespace=network.namespace(SWITCH),
        )
        wait_until(lambda: "listening on" in self._process.output(), 10, "tcpdump listens")

    def stop(self):
        """Once everything is in the file that was on the wire before."""
        mark = os.urandom(46)
        with inside(self.network.namespace("client")):
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        with sock:
            sock.bind((self.network.interfaces["client"], 0))
            sock.send(b"\xff" * 6 + b"\2" + bytes(5) + MARK.to_bytes(2, "big") + mark)
        wait_until(lambda: mark in pathlib.Path(self.file).read_bytes(), 10, "the capture has it all")
        self._process.signal(signal.SIGINT)
        self._process.wait_gone(5)

    def packets(self, display_filter, *fields):
        """One tuple of strings for each packet that passes the filter."""
        argv = ["tshark", "-r", self.file, "-Y", display_filter, "-T", "fields", "-E", "separator=|"]
        for field in fields:
            argv += ["-e", field]
        return [tuple(line.split("|")) for line in run(*argv).splitlines()]

    def adverts(self, source=None, priority=None):
        """(epoch seconds, source, destination, version, priority) of each advertisement."""
        clauses = ["vrrp"]
        if source:
            clauses.append(f"{'ipv6' if ':' in source else 'ip'}.src == {source}")
        if priority is not None:
            clauses.append(f"vrrp.prio == {priority}")
        fields = ("frame.time_epoch", "ip.src", "ipv6.src", "ip.dst", "ipv6.dst")
        fields += ("vrrp.version", "vrrp.prio")
        return [
            (float(time), src4 or src6, dst4 or dst6, int(version), int(prio))
            for time, src4, src6, dst4, dst6, version, prio in self.packets(
                " && ".join(clauses), *fields
            )
        ]

    def faults(self):
        """Packets tshark calls malformed, with a wrong checksum, or with a TTL that is not 255."""
        # keepalived sends IPv6 unicast with the host's hop limit; RFC 9568 knows multicast only.
        wrong = "vrrp && (_ws.malformed || ip.ttl != 255 || vrrp.checksum.status == \"Bad\""
        wrong += " || (ipv6.dst == ff00::/8 && ipv6.hlim != 255))"
        return self.packets(wrong, "frame.number", "ip.src", "ip.ttl", "vrrp.checksum.status")

    def announcement_faults(self, mac):
        """Unsolicited neighbour advertisements that are not R=1 S=0 O=1, or not well-formed."""
        wrong = f"icmpv6.type == 136 && ipv6.dst == ff02::1 && eth.src == {mac}"
        wrong += " && (_ws.malformed || ipv6.hlim != 255"
        wrong += ' || icmpv6.nd.na.flag.r == 0 || icmpv6.nd.na.flag.s == 1'
        wrong += ' || icmpv6.nd.na.flag.o == 0 || icmpv6.checksum.status == "Bad")'
        return self.packets(wrong, "frame.number", "ipv6.src", "icmpv6.nd.na.flag")

    def announcements(self, address):
        """(epoch seconds, MAC) of each gratuitous ARP or unsolicited advertisement of the address."""
        if ":" in address:
            wanted = f"ipv6.dst == ff02::1 && icmpv6.nd.na.target_address == {address}"
        else:
            wanted = f"arp.src.proto_ipv4 == {address} && arp.dst.proto_ipv4 == {address}"
        found = self.packets(wanted, "frame.time_epoch", "eth.src")
        return [(float(time), mac) for time, mac in found]


def status_json(binary, run_directory, environment=None):
    """What `tandem status --json` says, or None if the instance does not answer."""
    text = run(binary, "-R", run_directory, "status", "--json", check=False, timeout=60)
    try:
        return json.loads(text)
    except ValueError:
        return None

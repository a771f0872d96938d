"""Somebody else on the link, who hears every advertisement and sends what he likes.

The format of advertisements and their signatures is written here once more, from the specification
alone, so that the daemon's own idea of them is not its judge.
"""

import dataclasses
import hashlib
import hmac
import ipaddress
import socket
import struct
import threading

from .network import SWITCH, inside
from .process import now, wait_until

PROTOCOL = 112
SOL_PACKET, PACKET_ADD_MEMBERSHIP = 263, 1
TRAILER = 28
MULTICAST_MAC = {4: bytes.fromhex("01005e000012"), 6: bytes.fromhex("333300000012")}


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@dataclasses.dataclass(frozen=True)
class Advert:
    """An advertisement as it is on the wire; its checksum is made anew when it is sent."""

    heard: float
    source: str
    to: str
    pdu: bytes  # with what follows it

    @classmethod
    def of_frame(cls, frame):
        """None if the Ethernet frame holds none."""
        kind, packet = frame[12:14], frame[14:]
        if kind == b"\x08\x00" and packet[9] == PROTOCOL:
            start, size = (packet[0] & 15) * 4, struct.unpack("!H", packet[2:4])[0]
            addresses, pdu = packet[12:20], packet[start:size]
        elif kind == b"\x86\xdd" and packet[6] == PROTOCOL:
            size = struct.unpack("!H", packet[4:6])[0]
            addresses, pdu = packet[8:40], packet[40 : 40 + size]
        else:
            return None
        half = len(addresses) // 2
        ends = [str(ipaddress.ip_address(a)) for a in (addresses[:half], addresses[half:])]
        return cls(now(), *ends, bytes(pdu))

    family = property(lambda self: ipaddress.ip_address(self.source).version)
    version = property(lambda self: self.pdu[0] >> 4)
    priority = property(lambda self: self.pdu[2])

    @property
    def message(self):
        """Without a trailer."""
        addresses = self.pdu[3] * (4 if self.family == 4 else 16)
        return self.pdu[: 8 + addresses + (8 if self.version == 2 else 0)]

    @property
    def trailer(self):
        rest = self.pdu[len(self.message) :]
        return rest if len(rest) == TRAILER else None

    @property
    def sequence(self):
        return int.from_bytes(self.trailer[4:12], "big")

    def is_signed_by(self, keys):
        """keys: number -> octets."""
        key = keys.get(self.trailer[1])
        return key is not None and self._hmac(key, self.trailer[:12]) == self.trailer[12:]

    def _hmac(self, key, head):
        source = ipaddress.ip_address(self.source).packed.ljust(16, b"\0")
        said = bytes([self.family, self.version, self.pdu[1], 0]) + source
        said += self.message[:6] + b"\0\0" + self.message[8:] + head + bytes(16)
        return hmac.new(key, said, hashlib.sha256).digest()[:16]

    def changed(self, trailer=None, **fields):
        """With another source, destination or priority, or another trailer (b"" = none)."""
        pdu = bytearray(self.message)
        pdu[2] = fields.pop("priority", self.priority)
        rest = self.pdu[len(self.message) :] if trailer is None else trailer
        return dataclasses.replace(self, pdu=bytes(pdu) + rest, **fields)

    def signed(self, number, key, sequence):
        """With a signature of its own."""
        head = bytes([1, number, 0, 0]) + sequence.to_bytes(8, "big")
        return self.changed(trailer=head + self._hmac(key, head))

    def frame(self, mac_from, mac_to):
        source, to = (ipaddress.ip_address(a).packed for a in (self.source, self.to))
        pdu = bytearray(self.pdu)
        pdu[6:8] = b"\0\0"
        covered = bytes(pdu) if self.family == 6 else bytes(pdu[: len(self.message)])
        ends = b"" if self.version == 2 else source + to + struct.pack("!II", len(covered), PROTOCOL)
        pdu[6:8] = struct.pack("!H", checksum(ends + covered))
        if self.family == 6:
            head = struct.pack("!IHBB", 6 << 28, len(pdu), PROTOCOL, 255) + source + to
        else:
            head = struct.pack("!BBHHHBBH", 0x45, 0xC0, 20 + len(pdu), 0, 0, 255, PROTOCOL, 0)
            head += source + to
            head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        return mac_to + mac_from + (b"\x86\xdd" if self.family == 6 else b"\x08\x00") + head + pdu


class Attacker:
    """Listens on the switch, speaks from the client's port."""

    def __init__(self, network):
        self.network = network
        self.adverts = []
        with inside(network.namespace(SWITCH)):
            self._ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self._ear.bind(("br0", 0))
            promiscuous = struct.pack("IHH8s", socket.if_nametoindex("br0"), 1, 0, b"")
            self._ear.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, promiscuous)
        with inside(network.namespace("client")):
            self._mouth = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            self._mouth.bind((network.interfaces["client"], 0))
        self._mac = bytes.fromhex(network.mac("client").replace(":", ""))
        self._ear.settimeout(0.1)
        self._stop = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        while not self._stop:
            try:
                frame = self._ear.recv(2048)
            except TimeoutError:
                continue
            if frame[6:12] != self._mac and (advert := Advert.of_frame(frame)):
                self.adverts.append(advert)

    def close(self):
        self._stop = True
        self._thread.join()
        self._ear.close()
        self._mouth.close()

    def hear(self, count, source, timeout):
        """The next advertisements of this source."""
        at = len(self.adverts)

        def heard():
            found = [a for a in self.adverts[at:] if a.source == source]
            return len(found) >= count and found

        return wait_until(heard, timeout, f"{count} advertisements of {source}")

    def send(self, advert, victim):
        """To a node, whose own address need not be the one it was made for."""
        to = ipaddress.ip_address(advert.to)
        if to.is_multicast:
            mac = MULTICAST_MAC[to.version]
        else:
            mac = bytes.fromhex(self.network.mac(victim).replace(":", ""))
        self._mouth.send(advert.frame(self._mac, mac))

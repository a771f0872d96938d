"""What an origin is told of its clients: prefaces.py [--split] PORT...

Each port gets every case of CASES before a PING; the origin on 127.0.0.1:7201 answers in hexadecimal
what stood before that.  Prints one line for each: port, case, answer ("-": none).  The last port
speaks TLS.  The client's own port is written as PORT.  --split: headers come in two pieces, as on a
network (which HAProxy answers with a reset, now and then).
"""

import re
import socket
import ssl
import struct
import sys
import threading

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
SOURCE, DESTINATION = "192.0.2.66", "198.51.100.7"


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def tlv(kind, value):
    return struct.pack(">BH", kind, len(value)) + value


def v2(command, family, body, spoil=None):
    """With a checksum if `spoil` says how much to add to it."""
    if spoil is not None:
        body += tlv(3, bytes(4))
    packet = SIGNATURE + struct.pack(">BBH", 0x20 | command, family, len(body)) + body
    if spoil is not None:
        packet = packet[:-4] + struct.pack(">I", crc32c(packet) + spoil & 0xFFFFFFFF)
    return packet


PORTS = struct.pack(">HH", 50000, 443)
FOUR = socket.inet_aton(SOURCE) + socket.inet_aton(DESTINATION) + PORTS
SIX = socket.inet_pton(socket.AF_INET6, "2001:db8::66") * 2 + PORTS

CASES = {
    "v1": f"PROXY TCP4 192.0.2.1 {DESTINATION} 50000 443\r\n".encode(),
    "v1-rejected-source": f"PROXY TCP4 {SOURCE} {DESTINATION} 50000 443\r\n".encode(),
    "v1-six": b"PROXY TCP6 2001:db8::66 2001:db8::7 50000 443\r\n",
    "v1-unknown": b"PROXY UNKNOWN\r\n",
    "v1-bad-family": f"PROXY TCP5 {SOURCE} {DESTINATION} 50000 443\r\n".encode(),
    "v2-four": v2(1, 0x11, FOUR),
    "v2-six": v2(1, 0x21, SIX),
    "v2-local": v2(0, 0, b""),
    "v2-sum": v2(1, 0x11, FOUR, spoil=0),
    "v2-wrong-sum": v2(1, 0x11, FOUR, spoil=1),
    "v2-wrong-command": v2(2, 0x11, FOUR),
    "v2-short": v2(1, 0x11, FOUR[:8]),
    "garbage": b"GET / HTTP/1.0\r\n\r\n",
}


def serve(listener):
    while True:
        peer, _ = listener.accept()
        data = b""
        while b"PING" not in data:
            more = peer.recv(4096)
            if not more:
                break
            data += more
        peer.sendall(data.split(b"PING")[0].hex().encode() or b"nothing")
        peer.close()


def ask(port, own_port, preface, split, tls):
    own = struct.pack(">H", own_port)
    with socket.socket() as peer:
        peer.settimeout(60)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        peer.bind(("127.0.0.2", own_port))
        peer.connect(("127.0.0.1", port))
        try:
            for piece in (preface[:5], preface[5:]) if split else (preface,):
                peer.sendall(piece)
            if tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
                peer = context.wrap_socket(peer, server_hostname="www.example.org")
            peer.sendall(b"PING")
            answer = b""
            while True:
                more = peer.recv(4096)
                if not more:
                    break
                answer += more
        except OSError:
            answer = b""
        text = answer.decode().replace(own.hex(), "PORT")
        if "PORT" in text:
            # With the port, the checksum is another each time.
            text = re.sub("030004.{8}", "030004SUM", text)
        return text.replace(str(struct.unpack(">H", own)[0]).encode().hex(), "PORT") or "-"


def main(split, ports):
    listener = socket.create_server(("127.0.0.1", 7201), backlog=64)
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    # Own ports that look like nothing else in a header, and are not those of the run before.
    first_port = 0xEEA0 if split else 0xEFA0
    for port in ports:
        for own_port, (name, preface) in enumerate(CASES.items(), first_port):
            answer = ask(int(port), own_port, preface, split, port == ports[-1])
            print(port, name, answer, flush=True)


main(sys.argv[1] == "--split", [word for word in sys.argv[1:] if word != "--split"])

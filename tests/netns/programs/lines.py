"""Log targets that take lines of different length, and sessions whose lines are long.

    lines.py config DIRECTORY    writes lines.cfg
    lines.py listen DIRECTORY    its targets and its server: prints what comes, and how long it is
    lines.py ask                 one session
"""

import pathlib
import socket
import sys
import threading

PORT, SERVER, TARGET = 7080, 7081, 7514
REQUEST = b"long " * 1000
LIMIT = 10  # seconds that nothing here takes

CONFIGURATION = """\
global
    log 127.0.0.1:{TARGET} len 200 format raw local0
    log 127.0.0.1:{TARGET} len 1024 format raw local0
    log {folder}/whole.sock len 8192 format raw local0
    log {folder}/cut.sock len 4500 format raw local0
    log stdout len 4600 format raw local0
defaults
    mode tcp
    timeout connect 5s
    timeout client 10s
    timeout server 10s
listen lines
    bind 127.0.0.1:{PORT}
    log global
    tcp-request inspect-delay 10s
    tcp-request content set-var(txn.said) req.payload(0,{octets})
    tcp-request content accept if {{ req.len ge {octets} }}
    log-format "LONG %b %U %[var(txn.said)]%[var(txn.said),length] END"
    server s 127.0.0.1:{SERVER}
"""


def receive(name, sock):
    while True:
        line = sock.recv(1 << 16)
        # With its end in one piece: several threads write.
        text = f"{name}: {len(line)} octets, {line[:12]!r} {line[-9:]!r}\n"
        print(text, end="", flush=True)


def serve(listener):
    while True:
        sock, _ = listener.accept()
        got = 0
        while got < len(REQUEST):
            got += len(sock.recv(1 << 16))
        sock.close()


def config(folder):
    text = CONFIGURATION.format(folder=folder, octets=len(REQUEST), **globals())
    pathlib.Path(folder, "lines.cfg").write_text(text)


def listen(folder):
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", TARGET))
    targets = [("udp", udp)]
    for name in ("whole", "cut"):
        unix = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        unix.bind(str(pathlib.Path(folder, f"{name}.sock")))
        targets.append((name, unix))
    for target in targets:
        threading.Thread(target=receive, args=target, daemon=True).start()
    server = socket.create_server(("127.0.0.1", SERVER))
    print("ready", flush=True)
    serve(server)


def ask():
    with socket.create_connection(("127.0.0.1", PORT), LIMIT) as sock:
        sock.sendall(REQUEST)
        while sock.recv(1024):
            pass


if __name__ == "__main__":
    {"config": config, "listen": listen, "ask": ask}[sys.argv[1]](*sys.argv[2:])

"""More clients than there is room for, and servers that are not what they should be.

    crowd.py config DIRECTORY    writes crowd.cfg
    crowd.py play                prints a line "name: answered of asked, peak P" for each section
                                 and for all, then "silent" when its silent readers have all that they will have,
                                 and stays until it is ended
"""

import pathlib
import select
import socket
import struct
import sys
import threading
import time

FIRST, SERVERS = 7820, 7850
CLIENTS, SILENT, KILLED_AT = 60, 40, 5
REST = FIRST + 20  # where nobody reads

# name -> what its section has, its servers
SECTIONS = {
    "server-maxconn": ("", ["good maxconn 5"]),
    "frontend-maxconn": ("maxconn 5", ["good"]),
    "server-gone": ("option redispatch 1", ["good", "gone"]),
    "server-hung": ("option redispatch 1", ["good", "deaf"]),
    "server-slow": ("", ["slow"]),
    "server-killed": (
        "option redispatch 1\n    log stdout format raw local1\n    log-format 'END %s %Tc'",
        ["good", "killed"],
    ),
}

DEFAULTS = """\
global
    log stdout format raw local0 notice
    maxconn 110
defaults
    mode tcp
    log global
    retries 2
    timeout connect 500ms
    timeout queue 60s
    timeout client 60s
    timeout server 60s
"""


def ports():
    """(section, its port, [(kind of server, its port)])"""
    number = SERVERS
    for index, (name, (_, servers)) in enumerate(SECTIONS.items()):
        placed = [(server.split()[0], number + i) for i, server in enumerate(servers)]
        yield name, FIRST + index, placed
        number += len(servers)


def configuration():
    text = DEFAULTS
    for name, port, placed in ports():
        words, servers = SECTIONS[name]
        text += f"listen {name}\n    bind 127.0.0.1:{port}\n    {words}\n"
        for server, (kind, at) in zip(servers, placed):
            text += f"    server {kind} 127.0.0.1:{at} {server.partition(' ')[2]}\n"
    text += f"listen nobody-reads\n    bind 127.0.0.1:{REST}\n    server flood 127.0.0.1:{REST + 1}\n"
    return text


class Load:
    """How many are served at once, and how many were at most."""

    def __init__(self):
        self.now = self.peak = 0
        self.lock = threading.Lock()

    def add(self, count):
        with self.lock:
            self.now += count
            self.peak = max(self.peak, self.now)


class Server(threading.Thread):
    """Answers "ok" to a byte, a moment later."""

    def __init__(self, kind, port, everybody):
        super().__init__(daemon=True)
        self.pause = 0.3 if kind == "slow" else 0.02
        self.loads = Load(), everybody
        self.socket = socket.create_server(("127.0.0.1", port), backlog=256)

    def run(self):
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def count(self, change):
        for load in self.loads:
            load.add(change)

    def serve(self, connection):
        self.count(1)
        with connection:
            if connection.recv(1):
                time.sleep(self.pause)
                # The place is free as soon as the other side may know it.
                self.count(-1)
                connection.sendall(b"ok")


class Killed(threading.Thread):
    """Ends with all its connections, as a process does, once it has heard from some."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", port), backlog=256)

    def run(self):
        connections = [self.socket.accept()[0] for _ in range(KILLED_AT)]
        self.socket.close()
        for connection in connections:
            connection.recv(1)  # of one that is reset before it is used, another is tried
        for connection in connections:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()


def deaf(port):
    """Its queue is full: a SYN gets no answer."""
    listener = socket.create_server(("127.0.0.1", port), backlog=0)
    callers = [socket.socket() for _ in range(4)]
    for caller in callers:
        caller.setblocking(False)
        caller.connect_ex(("127.0.0.1", port))
    return listener, callers


def ask(port, answers):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=50) as client:
            client.sendall(b"x")
            answers.append(client.recv(16) == b"ok")
    except OSError:
        answers.append(False)


def flood(listener, sent):
    """Sends to everybody without end; to `sent` it adds how much."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    clients = {}
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                connection, _ = listener.accept()
                connection.setblocking(False)
                clients[connection.fileno()] = connection
                poll.register(connection, select.POLLOUT)
                continue
            try:
                sent.append(clients[number].send(b"y" * 65536))
            except BlockingIOError:
                pass


def silent_readers():
    """Clients for whom there is much, and who take nothing of it; when nobody takes any more."""
    sent = []
    listener = socket.create_server(("127.0.0.1", REST + 1), backlog=256)
    threading.Thread(target=flood, args=(listener, sent), daemon=True).start()
    readers = [socket.create_connection(("127.0.0.1", REST)) for _ in range(SILENT)]
    for reader in readers:
        reader.recv(1)
    seen = -1
    while seen != len(sent):
        seen = len(sent)
        time.sleep(0.5)
    return readers, sum(sent)


def main():
    if sys.argv[1] == "config":
        (pathlib.Path(sys.argv[2]) / "crowd.cfg").write_text(configuration())
        return
    sections, kept, everybody = {}, [], Load()
    for name, port, placed in ports():
        load = None
        for kind, at in placed:
            if kind == "deaf":
                kept.append(deaf(at))
            elif kind == "killed":
                Killed(at).start()
            elif kind != "gone":
                server = Server(kind, at, everybody)
                server.start()
                load = server.loads[0]
        sections[name] = port, load, []
    clients = [
        threading.Thread(target=ask, args=(port, answers))
        for port, _, answers in sections.values()
        for _ in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    for name, (_, load, answers) in sections.items():
        print(f"{name}: {sum(answers)} of {len(answers)}, peak {load.peak}")
    print(f"all: {len(clients)} of {len(clients)}, peak {everybody.peak}", flush=True)
    readers, sent = silent_readers()
    print(f"silent: {len(readers)} have {sent} bytes", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Who is it that connects?

peers.py serve PORT                 every connection is told its peer's address and port, and stays open
peers.py ask ADDRESS PORT [COUNT]   COUNT connections at once: a line for each, `OWN-PORT: ANSWER`; `-`
                                    where there was none
"""

import contextlib
import socket
import sys


def serve(port):
    with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        print("listens", flush=True)
        connections = []
        while True:
            connection, peer = listener.accept()
            connections.append(connection)
            with contextlib.suppress(OSError):
                connection.sendall(f"{peer[0].removeprefix('::ffff:')} {peer[1]}\n".encode())


def ask(address, port, count):
    connections = [socket.create_connection((address, port), 10) for _ in range(count)]
    for connection in connections:
        connection.settimeout(10)
        answer = ""
        with contextlib.suppress(OSError):
            answer = connection.recv(100).decode().strip()
        print(f"{connection.getsockname()[1]}: {answer or '-'}")


if sys.argv[1] == "serve":
    serve(int(sys.argv[2]))
else:
    ask(sys.argv[2], int(sys.argv[3]), int((sys.argv[4:] or ["1"])[0]))

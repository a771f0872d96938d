"""Connects as often as told, one after the other, until each is closed: knock.py PORT COUNT."""

import contextlib
import socket
import sys

for _ in range(int(sys.argv[2])):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
        with contextlib.suppress(OSError):
            connection.recv(1)

"""Clients of a Vault cluster: vault_client.py PORT AUTHORITY HOST.

One asks anew every 20 ms and prints "TIME asked NAME" ("-" = nobody answered), TIME being when it
began; one keeps its connection, and prints "TIME kept NAME" and "TIME cut NAME".
"""

import socket
import ssl
import sys
import threading
import time

PORT, AUTHORITY, HOST = int(sys.argv[1]), sys.argv[2], sys.argv[3]
CONTEXT = ssl.create_default_context(cafile=AUTHORITY)


def connect():
    plain = socket.create_connection(("127.0.0.1", PORT), timeout=5)
    return CONTEXT.wrap_socket(plain, server_hostname=HOST)


def ask(connection):
    connection.sendall(b"GET /v1/secret HTTP/1.1\r\nHost: vault\r\n\r\n")
    return connection.recv(4096).decode().rpartition("\n")[2]


def tell(*words):
    print(*words, flush=True)


def ask_anew():
    while True:
        began = time.monotonic()
        try:
            with connect() as connection:
                name = ask(connection)
        except OSError:
            name = ""
        tell(f"{began:.4f} asked {name or '-'}")
        time.sleep(max(0, began + 0.02 - time.monotonic()))


def keep():
    while True:
        try:
            with connect() as connection:
                name = ask(connection)
                if name:
                    tell(f"{time.monotonic():.4f} kept {name}")
                    connection.settimeout(None)
                    try:
                        connection.recv(1)
                    finally:
                        tell(f"{time.monotonic():.4f} cut {name}")
        except OSError:
            pass
        time.sleep(0.02)


threading.Thread(target=keep, daemon=True).start()
ask_anew()

"""histories.py PORT...: connections that come and go at random, the same each time.

Of each port prints which servers they were given, one after the other.  The servers are its own.
"""

import random
import socket
import sys
import threading

SERVERS = range(7100, 7104)
STEPS = 400


def serve(port):
    listener = socket.create_server(("127.0.0.1", port))
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=stay, args=(peer, port), daemon=True).start()


def stay(peer, port):
    """Until the client leaves."""
    with peer:
        peer.sendall(str(port).encode())
        peer.recv(1)


def leave(client):
    """Returns when the proxy has closed both sides."""
    with client:
        client.shutdown(socket.SHUT_WR)
        client.recv(1)


def history(port):
    rng = random.Random(port)
    clients, chosen = [], []
    for step in range(STEPS):
        # Fuller for some time, emptier for some.
        if clients and rng.random() < (0.35 if step % 100 < 50 else 0.6):
            leave(clients.pop(rng.randrange(len(clients))))
        else:
            clients.append(socket.create_connection(("127.0.0.1", port), 10))
            chosen.append(clients[-1].recv(5).decode())
    for client in clients:
        leave(client)
    return chosen


def main():
    for port in SERVERS:
        threading.Thread(target=serve, args=(port,), daemon=True).start()
    for port in sys.argv[1:]:
        print(port, *history(int(port)))


main()

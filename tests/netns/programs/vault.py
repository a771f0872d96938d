"""A node of a Vault cluster, as far as a load balancer sees it: vault.py NAME PORT CERTIFICATE FILE.

FILE has the status of /v1/sys/health; whoever asks for anything else is told the name and kept.
"""

import pathlib
import socket
import ssl
import sys
import threading

NAME, PORT, CERTIFICATE, STATUS = sys.argv[1], int(sys.argv[2]), sys.argv[3], pathlib.Path(sys.argv[4])


def serve(connection):
    try:
        with CONTEXT.wrap_socket(connection, server_side=True) as secure:
            while request := secure.recv(4096):
                if b" /v1/sys/health " in request:
                    answer = f"HTTP/1.1 {STATUS.read_text()} .\r\nContent-Length: 2\r\n\r\n{{}}"
                else:
                    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(NAME)}\r\n\r\n{NAME}"
                secure.sendall(answer.encode())
    except OSError:
        pass


CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
CONTEXT.load_cert_chain(CERTIFICATE)
listener = socket.create_server(("127.0.0.1", PORT), backlog=256)
print("listening", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

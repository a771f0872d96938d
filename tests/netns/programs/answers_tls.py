"""Servers that say how they were asked, by PROXY protocol and TLS: answers_tls.py CERTIFICATE."""

import socket
import ssl
import sys
import threading

# port: with TLS, after a PROXY line
SERVERS = {7201: (False, False), 7202: (True, False), 7203: (False, True), 7204: (True, True)}


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(sys.argv[1])
    made.set_alpn_protocols(["h2", "http/1.1", "other"])
    made.sni_callback = lambda connection, name, _: setattr(connection, "asked", name)
    return made


def proxy_line(connection):
    line = b""
    while not line.endswith(b"\n"):
        line += connection.recv(1)
    return " ".join(line.decode().split()[:4])


def answer(connection, port, secure, after_proxy):
    words = []
    connection.settimeout(10)
    try:
        if after_proxy:
            words.append(proxy_line(connection))
        if secure:
            connection = CONTEXT.wrap_socket(connection, server_side=True)
            asked = getattr(connection, "asked", None)
            words.append(f"sni {asked} alpn {connection.selected_alpn_protocol()}")
        heard = connection.recv(4096)
        words.append(heard.decode().split("\r\n")[0] if heard.isascii() else "no text")
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n+PONG\r\n")
    except OSError:
        words.append("nothing that can be understood")
    connection.close()
    print(f"asked {port}:", *words, flush=True)


def serve(listener, *how):
    while True:
        threading.Thread(target=answer, args=(listener.accept()[0], *how), daemon=True).start()


CONTEXT = context()
for port, how in SERVERS.items():
    arguments = (socket.create_server(("127.0.0.1", port)), port, *how)
    threading.Thread(target=serve, args=arguments, daemon=True).start()
print("listening", flush=True)
threading.Event().wait()

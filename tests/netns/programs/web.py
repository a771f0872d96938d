"""A web server that answers its own name: web.py NAME PORT [ADDRESS].

One epoll loop, keep-alive, thousands of idle connections; SIGSTOP makes it a hung server.  /long is
a download of some seconds.
"""

import collections
import resource
import select
import socket
import sys
import time

LONG_CHUNK, LONG_CHUNKS, LONG_EVERY_S = 8192, 30, 0.1


def main(name, port, address="0.0.0.0"):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    listener = socket.create_server((address, int(port)), backlog=4096)
    listener.setblocking(False)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    clients = {}
    downloads = collections.deque()  # (when the next octets are due, socket, how many are left)
    body = f"test {name}\n".encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n".encode()
    long_head = f"HTTP/1.1 200 OK\r\nContent-Length: {LONG_CHUNK * LONG_CHUNKS}\r\n\r\n".encode()
    print(f"{name} listens on port {port}", flush=True)

    def drop(number):
        clients.pop(number)[0].close()

    def serve(number):
        sock, pending = clients[number]
        try:
            data = sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            drop(number)
            return
        pending += data
        close = False
        while b"\r\n\r\n" in pending:
            request, _, pending = pending.partition(b"\r\n\r\n")
            close = b"connection: close" in request.lower() or b" HTTP/1.0" in request
            if request.startswith(b"GET /long "):
                sock.send(long_head)
                downloads.append((time.monotonic(), sock, LONG_CHUNK * LONG_CHUNKS))
                continue
            answer = head + (b"Connection: close\r\n\r\n" if close else b"\r\n")
            try:
                sock.send(answer if request.startswith((b"HEAD", b"OPTIONS")) else answer + body)
            except OSError:
                close = True
            if close:
                break
        clients[number] = (sock, pending)
        if close:
            drop(number)

    def feed():
        """Sends what is due; the seconds until there is more to send, None if never."""
        while downloads and downloads[0][0] <= time.monotonic():
            due, sock, left = downloads.popleft()
            try:
                left -= sock.send(bytes(min(left, LONG_CHUNK)))
            except BlockingIOError:
                pass
            except OSError:
                continue  # serve() learns of it, too, or has dropped it already
            if left:
                downloads.append((due + LONG_EVERY_S, sock, left))
        return max(0.0, downloads[0][0] - time.monotonic()) if downloads else None

    while True:
        for number, _ in poll.poll(feed()):
            if number != listener.fileno():
                serve(number)
                continue
            for _ in range(256):
                try:
                    sock, _ = listener.accept()
                except OSError:
                    break
                sock.setblocking(False)
                clients[sock.fileno()] = (sock, b"")
                poll.register(sock, select.EPOLLIN)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        pass

"""Opens connections, has each answered once, and keeps them open: hold.py ADDRESS PORT COUNT.

Prints `open N` when all are, then lets them lie until SIGTERM, and says `lost` of each that is closed or
answers once more.
"""

import errno
import resource
import select
import signal
import socket
import sys

REQUEST = b"GET / HTTP/1.1\r\nHost: vip\r\n\r\n"
AT_ONCE = 64


def main(host, port, count):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    poll, opening, idle, failed = select.epoll(), {}, [], 0
    count = int(count)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while len(idle) + failed < count:
        while len(opening) < AT_ONCE and len(opening) + len(idle) + failed < count:
            sock = socket.socket()
            sock.setblocking(False)
            if sock.connect_ex((host, int(port))) not in (0, errno.EINPROGRESS):
                failed += 1
                continue
            opening[sock.fileno()] = sock
            poll.register(sock, select.EPOLLOUT)
        for number, event in poll.poll():
            sock = opening[number]
            try:
                if event & select.EPOLLOUT:
                    sock.send(REQUEST)
                    poll.modify(sock, select.EPOLLIN)
                    continue
                answered = bool(sock.recv(4096))
            except OSError:
                answered = False
            poll.unregister(sock)
            del opening[number]
            if answered:
                idle.append(sock)
            else:
                failed += 1
                sock.close()
    print(f"open {len(idle)} failed {failed}", flush=True)
    for sock in idle:
        poll.register(sock, select.EPOLLIN)
    while True:
        for number, _ in poll.poll():
            poll.unregister(number)
            print("lost", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Connections that last: lasting.py ADDRESS PORT IDLE LONG.

IDLE of them are asked once, lie idle, are asked again and closed; LONG of them download /long of
web.py.  Each that ends is followed by another.  One line for each end: start and end in nanoseconds
of CLOCK_MONOTONIC, `idle` or `long`, `done` or what went wrong.  SIGTERM ends it.
"""

import errno
import select
import signal
import socket
import sys
import time

IDLE_S, LIMIT_S, PAUSE_S = 3.0, 8.0, 0.2
ASK = b"GET %s HTTP/1.1\r\nHost: vip\r\n\r\n"


class Lasting:
    """One connection; `due` is when it wants to be looked at without an event."""

    def __init__(self, address, kind):
        self.kind, self.start = kind, time.monotonic()
        self.due = self.start + LIMIT_S
        self.asked, self.data = 0, b""
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.error = self.sock.connect_ex(address)

    def _ask(self):
        self.data = b""
        self.asked += 1
        self.sock.send(ASK % (b"/long" if self.kind == "long" else b"/"))

    def _answered(self):
        head, found, body = self.data.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        return bool(found) and len(body) >= int(length)

    def late(self):
        """It is due: asks once more, or it is over."""
        if self.kind != "idle" or self.asked != 1 or not self._answered():
            return "timeout"
        self.due = time.monotonic() + LIMIT_S
        try:
            self._ask()
        except OSError as error:
            return errno.errorcode.get(error.errno, "error")
        return None

    def advance(self):
        """It can be written to or read from.  The outcome, once there is one."""
        try:
            if self.asked == 0:
                error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    return errno.errorcode.get(error, "error")
                self._ask()
                return None
            data = self.sock.recv(65536)
            self.data += data
            if not data:
                return "cut"
            if self._answered() and self.kind == "idle" and self.asked == 1:
                self.due = time.monotonic() + IDLE_S
            elif self._answered():
                return "done"
        except BlockingIOError:
            pass
        except OSError as error:
            return errno.errorcode.get(error.errno, "error")
        return None


def main(host, port, idle, long):
    address = (host, int(port))
    poll, open_ones = select.epoll(), {}
    waiting = [(time.monotonic(), "idle")] * int(idle) + [(time.monotonic(), "long")] * int(long)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    def begin(kind):
        one = Lasting(address, kind)
        open_ones[one.sock.fileno()] = one
        if one.error not in (0, errno.EINPROGRESS):
            end(one.sock.fileno(), errno.errorcode.get(one.error, "error"))
        else:
            poll.register(one.sock, select.EPOLLIN | select.EPOLLOUT)

    def end(number, outcome):
        one = open_ones.pop(number)
        one.sock.close()
        at = time.monotonic()
        print(int(one.start * 1e9), int(at * 1e9), one.kind, outcome, flush=True)
        waiting.append((at + (0 if outcome == "done" else PAUSE_S), one.kind))

    while True:
        at = time.monotonic()
        for when, kind in [w for w in waiting if w[0] <= at]:
            waiting.remove((when, kind))
            begin(kind)
        for number, one in list(open_ones.items()):
            if one.due <= at and (outcome := one.late()):
                end(number, outcome)
        for number, _ in poll.poll(0.05):
            one = open_ones.get(number)
            first = one and one.asked == 0
            outcome = one and one.advance()
            if outcome:
                end(number, outcome)
            elif first:
                poll.modify(number, select.EPOLLIN)


if __name__ == "__main__":
    main(*sys.argv[1:])

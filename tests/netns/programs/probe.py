"""A new connection with one HTTP request every few milliseconds: probe.py ADDRESS PORT [MS [LIMIT_MS]].

One line for each launch, in order of completion: launch time and end time in nanoseconds of
CLOCK_MONOTONIC, `ok` or what went wrong, who answered.  SIGTERM: no new launch, then exit when the
last is decided.  While this program itself is kept waiting, nobody's time runs.
"""

import errno
import gc
import select
import signal
import socket
import sys
import time

PAUSE_NS = 20_000_000  # awake so much later than intended: the machine stood still
REQUEST = b"GET / HTTP/1.1\r\nHost: vip\r\nConnection: close\r\n\r\n"


class Launch:
    """One connection on its way."""

    def __init__(self, address, at_ns, until_ns):
        self.at_ns, self.until_ns, self.data, self.sent = at_ns, until_ns, b"", False
        self.sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        self.sock.setblocking(False)
        self.error = self.sock.connect_ex(address)

    def advance(self):
        """The outcome once there is one: (word, server)."""
        try:
            if not self.sent:
                error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    return errno.errorcode.get(error, str(error)), "-"
                self.sock.send(REQUEST)
                self.sent = True
                return None
            data = self.sock.recv(4096)
        except BlockingIOError:
            return None
        except OSError as error:
            return errno.errorcode.get(error.errno, "error"), "-"
        self.data += data
        head, found, body = self.data.partition(b"\r\n\r\n")
        if found and body.endswith(b"\n"):
            status = head.split(b" ", 2)[1].decode()
            return ("ok" if status == "200" else status), body.split()[-1].decode()
        return None if data else ("cut", "-")


def main(host, port, every_ms=10, limit_ms=250):
    address, step = (host, int(port)), int(every_ms) * 1_000_000
    limit = int(limit_ms) * 1_000_000
    poll, running = select.epoll(), {}
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    gc.disable()
    due = time.monotonic_ns()

    def finish(number, outcome):
        launch = running.pop(number)
        launch.sock.close()
        print(launch.at_ns, time.monotonic_ns(), *outcome, flush=True)

    while not stopping or running:
        at = time.monotonic_ns()
        if not stopping and at >= due:
            due += step
            if at - due > 1_000_000_000:  # we were paused: do not fire what was missed
                due = at + step
            launch = Launch(address, at, at + limit)
            number = launch.sock.fileno()
            running[number] = launch
            if launch.error not in (0, errno.EINPROGRESS):
                finish(number, (errno.errorcode.get(launch.error, "error"), "-"))
            else:
                poll.register(number, select.EPOLLOUT)
        at = time.monotonic_ns()
        wait_ns = max(0, due - at) if not stopping else 5_000_000
        events = poll.poll(wait_ns / 1e9)
        late_ns = time.monotonic_ns() - at - wait_ns
        if late_ns > PAUSE_NS:
            for launch in running.values():
                launch.until_ns += late_ns
        for number, _ in events:
            launch = running.get(number)
            if not launch:
                continue
            was_sent = launch.sent
            outcome = launch.advance()
            if outcome:
                finish(number, outcome)
            elif launch.sent and not was_sent:
                poll.modify(number, select.EPOLLIN)
        # Launches are in order of time, so the first is the first to run out of it.
        while running:
            number, oldest = next(iter(running.items()))
            if time.monotonic_ns() < oldest.until_ns:
                break
            finish(number, ("timeout", "-"))


if __name__ == "__main__":
    main(*sys.argv[1:])

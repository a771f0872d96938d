"""A worker with another root directory.

Not on builds with sanitizers: there the leak sanitizer misses /proc.
"""

import os
import re
import signal
import socket

from lab.config import proxy
from lab.process import wait_until


class LogSocket:
    """A log daemon: a datagram socket at a path, which may come and go."""

    def __init__(self, path):
        self.path, self.lines = path, []
        self.open()

    def open(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        os.chmod(self.path, 0o666)

    def close(self):
        self.socket.close()
        self.path.unlink()

    def has(self, text):
        """Has a line with the text come?"""
        try:
            while True:
                self.lines.append(self.socket.recv(65536, socket.MSG_DONTWAIT).decode())
        except BlockingIOError:
            return any(text in line for line in self.lines)


def test_chroot(lab, patience, fast, say, tmp_path):
    """The worker lives in an empty folder; logs reach a socket outside, also one that is made anew."""
    root, pair = tmp_path / "empty", fast(script="/bin/true")
    root.mkdir()
    log = LogSocket(tmp_path / "log")
    settings = f"    chroot {root}\n    log {log.path} local3\n    log-tag lb\n"
    text = proxy().replace("global\n", "global\n" + settings).replace("mode tcp\n", "mode tcp\n    log global\n    option tcplog\n")
    lb1 = lab.tandem("lb1", pair, files=[("tandem.conf", pair.vrrp() + text)])
    lb1.start()
    lab.watch.wait_holders(lab.vip, ["lb1"], 6 * patience)
    assert os.readlink(f"/proc/{lb1.worker()}/root") == str(root)
    probe = lab.probe()
    probe.wait_ok(in_a_row=3)
    wait_until(lambda: log.has(" main app/app"), 6 * patience, "a line about a connection")
    line = next(line for line in log.lines if " main app/app" in line)
    assert re.match(r"<158>\w{3} [ \d]\d \d\d:\d\d:\d\d lb\[\d+\]: 10\.0\.0\.100:", line), line
    log.close()
    probe.wait_ok(in_a_row=3)
    log.lines.clear()
    log.open()
    wait_until(lambda: log.has(" main app/app"), 6 * patience, "a line through the new socket")
    worker = lb1.worker()
    os.kill(worker, signal.SIGKILL)
    lb1.wait_worker(6 * patience, other_than=worker)
    log.lines.clear()
    wait_until(lambda: log.has(" main app/app"), 6 * patience, "a line of the next worker")
    probe.stop()
    say("chroot: an empty root directory, lines before and after the log socket was made anew")

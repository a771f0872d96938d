"""Stops one thread of a process, and only that, until SIGTERM: stall.py PROCESS THREAD.

As a call that does not return would: the others go on.  What the thread is about to do waits, the
process can be killed, and with the end of this program the thread goes on where it was.
"""

import ctypes
import os
import signal
import sys

PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207
WALL = 0x40000000  # __WALL: threads, too


def main(process, thread):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
        if libc.ptrace(request, int(thread), None, None) < 0:
            sys.exit(f"ptrace: {os.strerror(ctypes.get_errno())}")
    os.waitpid(int(thread), WALL)
    print(f"thread {thread} of {process} stands still", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:  # a thread that is killed ends only when its tracer has heard of it
        try:
            os.waitpid(int(thread), WALL)
        except ChildProcessError:
            signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])

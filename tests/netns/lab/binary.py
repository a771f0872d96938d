"""The daemon's own file, to be exchanged while it runs: other versions of it, and files that are none."""

import os
import pathlib
import platform
import struct

CODE = {  # one instruction that is none, and one that jumps to itself
    "x86_64": (62, b"\x0f\x0b", b"\xeb\xfe"),
    "aarch64": (183, b"\x00\x00\x00\x00", b"\x00\x00\x00\x14"),
}


def _elf(code, machine):
    """The smallest program there is."""
    base, head = 0x400000, 64 + 56
    entry = base + head
    size = head + len(code)
    return (
        struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, machine, 1, entry, 64, 0, 0, 64, 56, 1, 0, 0, 0)
        + struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 0x1000)
        + code
    )


def crashing():
    machine, crash, _ = CODE[platform.machine()]
    return _elf(crash, machine)


def hanging():
    machine, _, hang = CODE[platform.machine()]
    return _elf(hang, machine)


class Binary:
    """A copy of the daemon that nodes are started from."""

    def __init__(self, original, path):
        self.path = pathlib.Path(path)
        self.original = pathlib.Path(original).read_bytes()
        self.install(self.original)

    def install(self, data, mode=0o755):
        """As a package does it: the file that runs stays what it is."""
        new = self.path.with_suffix(".new")
        new.write_bytes(data)
        new.chmod(mode)
        os.replace(new, self.path)

    def remove(self):
        self.path.unlink()

    def with_text(self, old, new):
        """The daemon with another text of the same length in it."""
        assert len(old) == len(new) and old in self.original
        return self.original.replace(old, new)

    def of_version(self, version):
        return self.with_text(b"0.1.0", version.encode())

"""FRRouting's vrrpd as a peer: zebra and vrrpd by hand in a node's namespace, and the macvlan device with
the virtual MAC that FRR wants to find."""

import json
import pathlib
import shutil
import signal

from .process import Process, send_signal, wait_until

PROGRAMS = pathlib.Path("/usr/lib/frr")


class Frr:
    """One virtual router.  It is master while the macvlan device carries: zebra takes its carrier away
    otherwise; the address stays configured on it all the time."""

    kind = "frr"

    def __init__(self, lab, name, pair):
        self.lab, self.name, self.pair = lab, name, pair
        self.directory = pathlib.Path(lab.directory) / f"{name}-frr"
        self.directory.mkdir(exist_ok=True)
        shutil.chown(self.directory, "frr", "frr")
        self.log = self.directory / "vrrpd.log"
        self.zebra = self.vrrpd = None
        self.device = f"vrrp-{pair.router_id}"
        (self.directory / "zebra.conf").write_text("", encoding="utf-8")
        (self.directory / "vrrpd.conf").write_text(self._configuration(), encoding="utf-8")

    @property
    def _six(self):
        return ":" in self.pair.vip

    def _configuration(self):
        vrid = f" vrrp {self.pair.router_id}"
        return "\n".join(
            [
                f"interface {self.pair.interface}",
                f"{vrid} version {self.pair.version}",
                f"{vrid} priority {self.pair.priority[0 if self.name == 'lb1' else 1]}",
                f"{vrid} advertisement-interval {round(self.pair.advert_s * 1000)}",
                f"{vrid} {'ipv6' if self._six else 'ip'} {self.pair.vip_address}",
                "",
            ]
        )

    def _ip(self, *args, **more):
        return self.lab.network.ip(self.name, *args, **more)

    def _make_device(self):
        mac = f"00:00:5e:00:{'02' if self._six else '01'}:{self.pair.router_id:02x}"
        parent = self.lab.network.interfaces[self.name]
        # Without this the parent would answer for the address while the device is down.
        self.lab.network.exec(self.name, "sysctl", "-qw", f"net.ipv4.conf.{parent}.arp_ignore=1")
        self._ip("link", "add", self.device, "link", parent, "address", mac, "type", "macvlan",
                 "mode", "bridge")  # fmt: skip
        self._ip("link", "set", self.device, "addrgenmode", "none" if not self._six else "random")
        self._ip("addr", "add", f"{self.pair.vip_address}/{64 if self._six else 24}", "dev",
                 self.device, *(["nodad"] if self._six else []))  # fmt: skip
        self._ip("link", "set", self.device, "up")

    def _remove_device(self):
        if f" {self.device}@" in self._ip("link"):
            self._ip("link", "del", self.device)

    def _start(self, program):
        at = self.directory
        options = ["-f", at / f"{program}.conf", "-i", at / f"{program}.pid", "-P", "0"]
        options += ["-z", at / "zserv.sock", "--vty_socket", at, "--log", "stdout"]
        process = Process(
            f"{program} on {self.name}",
            [PROGRAMS / program, *options],
            at / f"{program}.log",
            namespace=self.lab.network.namespace(self.name),
        )
        self.lab.started(process)
        return process

    def start(self):
        if not (self.zebra and self.zebra.alive):
            (self.directory / "zserv.sock").unlink(missing_ok=True)
            self.zebra = self._start("zebra")
            wait_until((self.directory / "zserv.sock").exists, 10, f"zebra listens on {self.name}")
        self._remove_device()
        self._make_device()
        self.vrrpd = self._start("vrrpd")

    @property
    def alive(self):
        return bool(self.vrrpd and self.vrrpd.alive)

    @property
    def status_code(self):
        return self.vrrpd.status if self.vrrpd else None

    def is_master(self):
        """And able to say so: over IPv6 it speaks from the device's own address, once that is known
        to be unique."""
        found = json.loads(self._ip("-j", "link") or "[]")
        carries = any(link["ifname"] == self.device and link["operstate"] == "UP" for link in found)
        return carries and not self._ip("addr", "show", "dev", self.device, "tentative").strip()

    def terminate(self):
        self.vrrpd.signal(signal.SIGTERM)

    def kill_all(self):
        """The device stays up without anybody who would take it down: the host is dead, too."""
        for process in (self.vrrpd, self.zebra):
            if process:
                send_signal(process.pid, signal.SIGKILL)
        self._remove_device()

    def stop(self):
        for process in (self.vrrpd, self.zebra):
            if process and process.alive:
                process.stop(5.0)
        self._remove_device()
        return []

    def complaints(self):
        return []

    def log_text(self):
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

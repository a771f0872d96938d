"""The files the lab's pair runs on.  One text serves both nodes; `@lb1` marks what differs."""

import dataclasses

VIP = "10.0.0.10"
ADDRESSES = {
    "lb1": "10.0.0.11",
    "lb2": "10.0.0.12",
    "web1": "10.0.0.21",
    "web2": "10.0.0.22",
    "client": "10.0.0.100",
}
VIP6 = "fd00::10"
ADDRESSES6 = {node: f"fd00::{address.rpartition('.')[2]}" for node, address in ADDRESSES.items()}
WEBS = ("web1", "web2")
LEASE_S = 3.0
WATCHDOG_MS = 500


@dataclasses.dataclass(frozen=True)
class Pair:
    """What a scenario chooses about VRRP; the defaults are those of the fault table."""

    version: int = 2
    advert_s: float = 1.0
    unicast: bool = True
    password: str = "secret"  # version 2 only
    priority: tuple = (150, 100)  # lb1, lb2
    router_id: int = 51
    interface: str = "eth1"
    vip: str = f"{VIP}/32"
    instance: str = ""  # further lines for the vrrp_instance
    script: str = ""  # a vrrp_script to track, for keepalived

    @property
    def vip_address(self):
        return self.vip.split("/")[0]

    @property
    def addresses(self):
        """The nodes' own addresses, of the family of the virtual one."""
        return ADDRESSES6 if ":" in self.vip else ADDRESSES

    def skew_s(self, priority):
        return (256 - priority) / 256 * (1.0 if self.version == 2 else self.advert_s)

    def down_s(self, priority=None):
        """The master-down interval; without a priority that of the backup, lb2."""
        return 3 * self.advert_s + self.skew_s(self.priority[1] if priority is None else priority)

    def vrrp(self):
        lines = []
        if self.version == 3:
            lines += ["global_defs {", "    vrrp_version 3", "}", ""]
        if self.script:
            lines += ["vrrp_script chk_proxy {", f'    script "{self.script}"', "    interval 1"]
            lines += ["    fall 2", "    rise 2", "}", ""]
        lines += [
            "vrrp_instance VI_1 {",
            "    state BACKUP",
            f"    interface {self.interface}",
            f"    virtual_router_id {self.router_id}",
            f"    @lb1 priority {self.priority[0]}",
            f"    @lb2 priority {self.priority[1]}",
            f"    advert_int {self.advert_s:g}",
        ]
        if self.unicast:
            for node in ("lb1", "lb2"):
                lines.append(f"    @{node} unicast_src_ip {self.addresses[node]}")
            lines.append("    unicast_peer {")
            for node in ("lb1", "lb2"):
                lines.append(f"        @^{node} {self.addresses[node]}")
            lines.append("    }")
        if self.version == 2 and self.password:
            lines += ["    authentication {", "        auth_type PASS"]
            lines += [f"        auth_pass {self.password}", "    }"]
        lines += ["    virtual_ipaddress {", f"        {self.vip}", "    }"]
        if self.script:
            lines += ["    track_script {", "        chk_proxy", "    }"]
        lines += [f"    {line}" for line in self.instance.splitlines()]
        return "\n".join(lines + ["}", ""])


def proxy(check="check inter 1s fall 3 rise 2", bind="*:80", idle="10s"):
    """The HAProxy part: TCP over the two web servers; `idle` is what a session may lie idle."""
    servers = "".join(
        f"    server app{n} {ADDRESSES[web]}:80 {check}\n" for n, web in enumerate(WEBS, 1)
    )
    return (
        "global\n"
        "    maxconn 9000\n"
        "\n"
        "defaults\n"
        "    mode tcp\n"
        "    timeout connect 1s\n"
        f"    timeout client {idle}\n"
        f"    timeout server {idle}\n"
        "    retries 3\n"
        "    option redispatch\n"
        "\n"
        "frontend main\n"
        f"    bind {bind}\n"
        "    default_backend app\n"
        "\n"
        "backend app\n"
        "    balance roundrobin\n" + servers
    )

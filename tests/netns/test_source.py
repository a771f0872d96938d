"""`source`: servers see the addresses that they would see behind HAProxy, the client's own too."""

import pathlib

from lab.lab import PROGRAMS, PYTHON
from lab.process import Process, wait_until
from lab.twins import twins

CONFIGURATION = pathlib.Path(__file__).parent / "configs" / "source.cfg"
BALANCER, BALANCER6 = "10.0.0.11", "fd00::11"
CLIENT, CLIENT6, FOREIGN = "10.0.0.100", "fd00::100", "10.0.0.99"
PORTS = 4  # of the range
STOCK = 256  # sockets that a thread has
CROWD = 400


def lead_back(network):
    """What the server answers to others goes to the balancer, which takes it for its own."""
    for family, others, server, balancer in (
        ("-4", (CLIENT, FOREIGN), "10.0.0.21", BALANCER),
        ("-6", (CLIENT6,), "fd00::21", BALANCER6),
    ):
        network.ip("lb1", family, "rule", "add", "from", server, "iif", "eth1", "lookup", "100")
        for other in others:
            network.ip("web1", family, "route", "add", other, "via", balancer)
            network.ip("lb1", family, "route", "add", "local", other, "dev", "lo", "table", "100")
        # The neighbours know each other: no attempt has to wait for that.
        network.exec("lb1", "ping", "-c", "1", server)


def test_servers_see_what_haproxys_see(lab, say, tmp_path):
    lead_back(lab.network)
    server = Process(
        "peers",
        [PYTHON, PROGRAMS / "peers.py", "serve", "4000"],
        tmp_path / "peers.log",
        namespace=lab.network.namespace("web1"),
    )
    lab.started(server)
    wait_until(lambda: "listens" in server.output(), 10, "the server listens")

    def ask(port, count=1, address=BALANCER):
        argv = [PYTHON, str(PROGRAMS / "peers.py"), "ask", address, str(port), str(count)]
        lines = lab.network.exec("client", *argv).splitlines()
        return [line.split(": ") for line in lines]

    for name, log in twins(lab, CONFIGURATION, tmp_path, node="lb1"):
        [[_, seen]] = ask(5001)
        assert seen.split()[0] == CLIENT, name
        [[own, seen]] = ask(5002)
        assert seen == f"{CLIENT} {own}", name
        [[_, seen]] = ask(5003)
        assert seen.split()[0] == FOREIGN, name
        [[_, seen]] = ask(5004)
        assert seen == f"{FOREIGN} 7777", name
        [[_, seen]] = ask(5005)
        assert seen.split()[0] == BALANCER, name
        [[_, seen]] = ask(5006, address=BALANCER6)
        assert seen.split()[0] == CLIENT6, name
        [[_, seen]] = ask(5007)
        assert seen == "-", name
        # All ports of a range are had, and not one more.
        seen = [answer for _, answer in ask(5008, PORTS + 1)]
        wanted = [f"{BALANCER} {6000 + i}" for i in range(PORTS)]
        assert sorted(seen) == ["-", *wanted], name
        # More at once than a thread has sockets in stock.
        crowd = [seen.split()[0] for _, seen in ask(5001, CROWD)]
        assert set(crowd) <= {CLIENT, "-"}, name
        assert crowd.count(CLIENT) > STOCK, name
        say(f"{name}: {crowd.count(CLIENT)} connections at once from the client's address")

"""HAProxy and Tandem in turn on one file, in the client's namespace, to be compared."""

import re

from .process import Process, wait_until


def twins(lab, configuration, directory):
    """Yields ("haproxy", log) and ("tandem", log), each while it runs and listens.

    `log` is the file of what it says.  Ports are those of the file's `bind` lines.
    """
    ports = re.findall(r"^\s+bind \S*:(\d+)", configuration.read_text(), re.MULTILINE)
    commands = {
        "haproxy": ["haproxy", "-db", "-f", configuration],
        "tandem": [lab.binary, "-R", directory / "run", "-db", "-f", configuration],
    }
    lab.network.exec("client", "ip", "link", "set", "lo", "up")
    for name, argv in commands.items():
        log = directory / f"{name}.log"
        process = Process(name, argv, log, namespace=lab.network.namespace("client"))
        lab.started(process)
        try:
            wait_until(lambda: listens(lab, ports), 10, f"{name} listens")
            yield name, log
        finally:
            process.stop(5)


def listens(lab, ports):
    sockets = lab.network.exec("client", "ss", "-Hltn")
    return all(f":{port} " in sockets for port in ports)

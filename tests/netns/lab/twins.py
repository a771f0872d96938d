"""HAProxy and Tandem in turn on one file, in one namespace, to be compared."""

import re

from .process import Process, wait_until


def twins(lab, configuration, directory, node="client"):
    """Yields ("haproxy", log) and ("tandem", log), each while it runs and listens.

    `log` is the file of what it says.  Ports are those of the file's `bind` lines.
    """
    ports = re.findall(r"^\s+bind \S*:(\d+)", configuration.read_text(), re.MULTILINE)
    commands = {
        "haproxy": ["haproxy", "-db", "-f", configuration],
        "tandem": [lab.binary, "-R", directory / "run", "-db", "-f", configuration],
    }
    lab.network.exec(node, "ip", "link", "set", "lo", "up")
    for name, argv in commands.items():
        log = directory / f"{name}.log"
        process = Process(name, argv, log, namespace=lab.network.namespace(node))
        lab.started(process)
        try:
            wait_until(lambda: listens(lab, ports, node), 10, f"{name} listens")
            yield name, log
        finally:
            process.stop(5)


def listens(lab, ports, node="client"):
    sockets = lab.network.exec(node, "ss", "-Hltn")
    return all(f":{port} " in sockets for port in ports)

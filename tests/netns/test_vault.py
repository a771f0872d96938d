"""A Vault cluster behind the files of conf/examples/: traffic follows its leader.

Three servers speak TLS and answer their health check as Vault documents: 200 is the leader, 429 a
standby, 472 a secondary for disaster recovery, 473 a performance standby, 501 a node that is not
initialised, 503 a sealed one.  Both files run at once: TLS passed through, and TLS at the front.
"""

import pathlib
import re
import subprocess

from lab.lab import PROGRAMS, PYTHON
from lab.process import Process, now, wait_until

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "conf" / "examples" / "vault-cluster"
FORMS = {"passed through": ("haproxy.cfg", 7301), "at the front": ("haproxy-tls.cfg", 7302)}
NODES = {name: 7310 + i for i, name in enumerate(("vault1", "vault2", "vault3"))}
STATUSES = (429, 472, 473, 501, 503)
INTER_S, FALL, RISE, CHECK_S = 0.2, 2, 1, 1.0
BOUND_S = (max(FALL, RISE) + 1) * INTER_S + CHECK_S


def papers(directory):
    """One certificate for all names, which is its own authority."""
    names = ["vault.example.org", *(f"{name}.example.org" for name in NODES)]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", "key.pem", "-out", "vault-ca.pem", "-subj", "/CN=vault",
         "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)],
        cwd=directory, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    both = (directory / "key.pem").read_text() + (directory / "vault-ca.pem").read_text()
    (directory / "vault.pem").write_text(both)


def adapted(directory, form):
    """The example with the lab's addresses and paths, and quicker checks."""
    name, port = FORMS[form]
    text = (EXAMPLES / name).read_text().replace("/etc/tandem/", f"{directory}/")
    text = text.replace("inter 2s fall 2 rise 1", f"inter {INTER_S * 1000:.0f}ms fall {FALL} rise {RISE}")
    text = text.replace("timeout check 2s", f"timeout check {CHECK_S * 1000:.0f}ms")
    text = text.replace("bind *:443", f"bind 127.0.0.1:{port}")
    for i, node in enumerate(NODES):
        text = text.replace(f"10.0.0.2{i + 1}:8200", f"127.0.0.1:{NODES[node]}")
    # Two files in one process: their sections need names of their own.
    text = re.sub(r"vault_(front|cluster)", rf"\g<0>_{port}", text)
    path = directory / name
    path.write_text(text)
    assert "10.0.0." not in text and "/etc" not in text
    return path


class Clients:
    """What vault_client.py has seen at one port."""

    def __init__(self, process):
        self.process = process

    def seen(self, kind):
        """(time, name) of each line of that kind."""
        text = pathlib.Path(self.process.log).read_text()
        return [(float(at), name) for at, name in re.findall(rf"^(\S+) {kind} (\S+)$", text, re.MULTILINE)]

    def settled(self, name):
        """All of the last answers are of that node, and somebody keeps a connection to it."""
        kept = self.seen("kept")
        return [n for _, n in self.seen("asked")[-15:]] == [name] * 15 and kept and kept[-1][1] == name


def test_traffic_follows_the_leader(lab, patience, say, tmp_path):
    lab.network.exec("client", "ip", "link", "set", "lo", "up")
    namespace = lab.network.namespace("client")

    def start(name, argv):
        process = Process(name, argv, tmp_path / f"{name}.log", namespace=namespace)
        lab.started(process)
        return process

    papers(tmp_path)
    nodes = list(NODES)
    for name, port in NODES.items():
        (tmp_path / name).write_text("200" if name == nodes[0] else "429")
        start(f"node {name}", [PYTHON, PROGRAMS / "vault.py", name, port, tmp_path / "vault.pem", tmp_path / name])
    files = [word for form in FORMS for word in ("-f", adapted(tmp_path, form))]
    tandem = start("tandem", [lab.binary, "-R", tmp_path / "run", "-db", *files])
    authority, host = tmp_path / "vault-ca.pem", "vault1.example.org"
    clients = {
        form: Clients(start(f"clients {form}", [PYTHON, PROGRAMS / "vault_client.py", port, authority, host]))
        for form, (_, port) in FORMS.items()
    }
    followed, cut = {form: [] for form in FORMS}, {form: [] for form in FORMS}
    for i, status in enumerate(STATUSES):
        old, new = nodes[i % 3], nodes[(i + 1) % 3]
        for form, client in clients.items():
            wait_until(lambda: client.settled(old), 10 * patience, f"{old} leads, TLS {form}")
        struck = now()
        for name, text in ((old, str(status)), (new, "200")):
            (tmp_path / "next").write_text(text)
            (tmp_path / "next").rename(tmp_path / name)
        for form, client in clients.items():
            wait_until(lambda: client.settled(new), 10 * patience, f"{new} leads after {status}, TLS {form}")
            wrong = [at for at, name in client.seen("asked") if at > struck and name != new]
            followed[form].append(max(wrong, default=struck) - struck)
            cut[form].append(max(at for at, name in client.seen("cut") if name == old) - struck)
    for form in FORMS:
        say(
            f"TLS {form}: after {', '.join(map(str, STATUSES))} the last that did not reach the new leader began "
            f"{max(followed[form]) * 1000:.0f} ms later, sessions were cut {max(cut[form]) * 1000:.0f} ms later "
            f"(bound {BOUND_S * 1000:.0f})"
        )
    for form in FORMS:
        assert max(followed[form] + cut[form]) <= (2 * BOUND_S + 1) * patience
    tandem.stop()

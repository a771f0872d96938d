"""The PROXY protocol: origins hear of their clients what HAProxy would tell them."""

import pathlib
import re
import subprocess

from lab.lab import PROGRAMS, PYTHON
from lab.twins import twins

CONFIGURATION = pathlib.Path(__file__).parent / "configs" / "preface.cfg"


def test_headers_are_haproxys(lab, say, tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", tmp_path / "key", "-out", tmp_path / "cert", "-subj", "/CN=www.example.org"],
        check=True, capture_output=True, timeout=30,
    )
    pem = tmp_path / "server.pem"
    pem.write_text((tmp_path / "cert").read_text() + (tmp_path / "key").read_text())
    configuration = tmp_path / "preface.cfg"
    configuration.write_text(CONFIGURATION.read_text().replace("PEM", str(pem)))
    ports = re.findall(r"bind 127.0.0.1:(\d+)", configuration.read_text())
    heard = {}
    for name, _ in twins(lab, configuration, tmp_path):
        split = ["--split"] if name == "tandem" else []
        program = [PYTHON, PROGRAMS / "prefaces.py", *split, *ports]
        heard[name] = lab.network.exec("client", *map(str, program)).splitlines()
    differ = [
        f"{ours} | HAProxy: {theirs}"
        for ours, theirs in zip(heard["tandem"], heard["haproxy"])
        if ours != theirs
    ]
    refused = sum(line.endswith(" -") for line in heard["tandem"])
    say(f"{len(heard['tandem'])} prefaces, {refused} refused, {len(differ)} told otherwise")
    assert len(heard["tandem"]) == len(heard["haproxy"]) > 60
    assert refused > 10
    assert "\n".join(differ) == ""

"""TLS at the virtual address, with the programs that users have: curl and openssl s_client.

Clients speak TLS with the pair; lb1's proxy speaks TLS once more, with itself, so that a server's
side is tried too.  Certificates are made for the run.
"""

import re
import subprocess

import pytest

from lab.config import Pair, proxy
from lab.process import wait_until

pytestmark = pytest.mark.quick

ANSWERS = ("test web1", "test web2")
NAMES = {"www": "DNS:www.example.org", "any": "DNS:*.example.com"}


def openssl(directory, *args):
    subprocess.run(["openssl", *args], cwd=directory, check=True, capture_output=True, timeout=60)


def issue(directory):
    """ca.pem, and NAME.pem with certificate and key for each name."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl(directory, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj",
            "/CN=ca")
    for name, hosts in NAMES.items():
        openssl(directory, "req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
                f"/CN={name}")
        (directory / "san").write_text(f"subjectAltName={hosts}\n", encoding="ascii")
        openssl(directory, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey",
                "ca.key", "-CAcreateserial", "-extfile", "san", "-out", f"{name}.pem")
        with open(directory / f"{name}.pem", "a", encoding="ascii") as file:
            file.write((directory / f"{name}.key").read_text(encoding="ascii"))


@pytest.fixture
def papers(tmp_path):
    issue(tmp_path)
    (tmp_path / "served").mkdir()
    for name in NAMES:
        (tmp_path / f"{name}.pem").rename(tmp_path / "served" / f"{name}.pem")
    return tmp_path


def with_tls(papers):
    return proxy() + (
        "\nfrontend secure\n"
        f"    bind *:443 ssl crt {papers}/served/www.pem crt {papers}/served/any.pem\n"
        "    default_backend app\n"
        "\nfrontend again\n"
        "    bind *:8080\n"
        "    default_backend loop\n"
        "\nbackend loop\n"
        f"    server self 127.0.0.1:443 ssl verify required ca-file {papers}/ca.pem"
        " sni str(www.example.org)\n"
    )


@pytest.fixture
def served(lab, papers, patience):
    pair = Pair(version=3, advert_s=0.1)
    for name in ("lb1", "lb2"):
        lab.tandem(name, pair, proxy=with_tls(papers))
    lab.start_pair("lb1", timeout=(pair.down_s() + 5) * patience)
    probe = lab.probe()
    probe.wait_ok()
    probe.stop()
    return papers


def curl(lab, papers, host, port=443):
    return lab.network.exec(
        "client", "curl", "-s", "-m", "30", "--cacert", str(papers / "ca.pem"), "--resolve",
        f"{host}:{port}:{lab.vip}", f"https://{host}:{port}/", check=False,
    ).strip()


def s_client(lab, papers, *args):
    return lab.network.exec(
        "client", "timeout", "60", "openssl", "s_client", "-connect", f"{lab.vip}:443", "-CAfile",
        str(papers / "ca.pem"), *args, check=False, stdin=subprocess.DEVNULL,
    )


def test_served(lab, served, say):
    for host in ("www.example.org", "a.example.com", "b.example.com"):
        assert curl(lab, served, host) in ANSWERS, host
    assert curl(lab, served, "other.example.net") == "", "a name nobody has a certificate for"
    assert lab.ask(port=8080) in ANSWERS, "TLS towards a server"
    again = s_client(lab, served, "-reconnect", "-tls1_2", "-servername", "www.example.org")
    assert len(re.findall(r"^Reused, TLSv1\.2", again, re.M)) == 5, again
    binds = [f["binds"] for f in lab.nodes["lb1"].status_json()["frontends"]]
    assert ["*:443 ssl"] in binds
    say("TLS at the address, by name and wildcard, and towards a server; 5 of 5 sessions resumed")


def test_moves(lab, served, patience, say):
    """The files are the guardian's: a worker that is started anew serves TLS without them."""
    for path in served.glob("served/*"):
        path.unlink()
    lb1 = lab.nodes["lb1"]
    before = lb1.worker()
    subprocess.run(["kill", "-9", str(before)], check=True)
    wait_until(lambda: curl(lab, served, "www.example.org") in ANSWERS,
                      10 * patience, "the other node serves")
    lb1.wait_worker(timeout=10 * patience, other_than=before)
    lab.watch.wait_holders(lab.vip, ["lb1"], 15 * patience)
    wait_until(lambda: curl(lab, served, "www.example.org") in ANSWERS, 10 * patience,
               "the new worker serves")
    say("a new worker serves TLS, though the files are gone")

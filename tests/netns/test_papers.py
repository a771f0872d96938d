"""Certificates that crt-lists choose and tune, stapled OCSP answers and revoked clients, beside HAProxy."""

import concurrent.futures
import re
import subprocess

from lab.twins import twins

PORT = 7443
CERTIFICATES = {
    "first": "DNS:first.example.org",
    "wild": "DNS:*.wild.example",
    "own": "DNS:own.example,DNS:*.own.example",
    "new": "DNS:new.example",
    "asks": "DNS:asks.example",
    "curved": "DNS:curved.example",
    "good": "DNS:good",
    "revoked": "DNS:revoked",
}

LIST = """\
# FILE [PARAMETERS] HOST...
{0}/first.pem !*
{0}/wild.pem *.wild.example !not.wild.example
{0}/wild.pem other.example *.more.example
{0}/own.pem !www.own.example
{0}/new.pem [alpn h2 ssl-min-ver TLSv1.3]

  {0}/curved.pem [curves P-384 ssl-max-ver TLSv1.2 ciphers ECDHE-ECDSA-AES256-GCM-SHA384] curved.example
{0}/asks.pem [verify required ca-file {0}/ca.pem crl-file {0}/crl.pem]
"""

CONFIGURATION = """\
defaults
    mode tcp
    timeout connect 1s
    timeout client 5s
    timeout server 5s
listen list
    bind 127.0.0.1:7443 ssl crt-list {0}/list alpn http/1.1
    server nobody 127.0.0.1:1
listen strict
    bind 127.0.0.1:7444 ssl strict-sni crt-list {0}/list
    server nobody 127.0.0.1:1
listen revocation
    bind 127.0.0.1:7445 ssl crt {0}/first.pem ca-file {0}/ca.pem crl-file {0}/crl.pem verify optional
    server nobody 127.0.0.1:1
"""

HOSTS = [
    None, "first.example.org", "nobody.example", "a.wild.example", "A.Wild.Example",
    "not.wild.example", "wild.example", "a.b.wild.example", "other.example", "x.more.example",
    "own.example", "www.own.example", "ftp.own.example", "new.example", "curved.example",
    "asks.example",
]  # fmt: skip

# What s_client is asked beside the host, by port.
ASKED = (
    [(port, host, []) for port in (PORT, PORT + 1) for host in HOSTS]
    + [(PORT, host, ["-alpn", "h2,http/1.1"]) for host in HOSTS]
    + [
        (PORT, host, ["-tls1_2"])
        for host in ("a.wild.example", "new.example", "curved.example", "first.example.org")
    ]
    + [(PORT, "a.wild.example", ["-curves", "X25519"])]
    + [(PORT, "curved.example", ["-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256", "-tls1_2"])]
    + [(PORT, "asks.example", ["-cert", f"{name}.pem"]) for name in ("good", "revoked")]
    + [(PORT, "asks.example", ["-tls1_2", "-cert", f"{name}.pem"]) for name in ("good", "revoked")]
    + [(PORT, host, ["-status"]) for host in ("first.example.org", "a.wild.example", None)]
    + [(PORT + 2, None, ["-tls1_2", *more]) for more in (
        [], ["-cert", "good.pem"], ["-cert", "revoked.pem"])]
)  # fmt: skip


def openssl(directory, *args):
    subprocess.run(["openssl", *args], cwd=directory, check=True, capture_output=True, timeout=60)


def issue(directory):
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl(directory, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca")
    authority = (directory / "ca.pem").read_text()
    index = ""
    for serial, (name, hosts) in enumerate(CERTIFICATES.items(), 16):
        openssl(directory, "req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
                f"/CN={name}")
        (directory / "san").write_text(f"subjectAltName={hosts}\n")
        openssl(directory, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-set_serial", str(serial), "-extfile", "san", "-out", f"{name}.crt")
        pem = [(directory / f"{name}.{part}").read_text() for part in ("crt", "key")]
        (directory / f"{name}.key").unlink()
        (directory / f"{name}.pem").write_text("".join([*pem, authority]))
        state = "R\t491231235959Z\t250101000000Z" if name == "revoked" else "V\t491231235959Z\t"
        index += f"{state}\t{serial:02X}\tunknown\t/CN={name}\n"
    (directory / "index").write_text(index)
    (directory / "ca.cnf").write_text("[ca]\ndefault_ca=x\n[x]\ndatabase=index\ndefault_md=sha256\n")
    signer = ["-cert", "ca.pem", "-keyfile", "ca.key"]
    openssl(directory, "ca", "-config", "ca.cnf", *signer, "-gencrl", "-crldays", "30", "-out", "crl.pem")
    openssl(directory, "ocsp", "-issuer", "ca.pem", "-cert", "first.crt", "-no_nonce", "-reqout", "asked")
    openssl(directory, "ocsp", "-index", "index", "-CA", "ca.pem", "-rsigner", "ca.pem", "-rkey",
            "ca.key", "-reqin", "asked", "-respout", "first.pem.ocsp", "-ndays", "7")
    (directory / "list").write_text(LIST.format(directory))
    (directory / "papers.cfg").write_text(CONFIGURATION.format(directory))


def told(lab, directory, port, host, more):
    """What s_client has learnt: whose certificate, which version, protocol, cipher, curve and status."""
    name = ["-servername", host] if host else ["-noservername"]
    said = lab.network.exec(
        "client", "timeout", "20", "openssl", "s_client", "-connect", f"127.0.0.1:{port}",
        "-CAfile", "ca.pem", *name, *more, check=False, stdin=subprocess.DEVNULL, cwd=directory,
    )
    words = [
        r"subject=CN = (\S+)", r"^New, (TLSv[0-9.]+)", r"Cipher is (\S+)", r"ALPN protocol: (\S+)",
        r"Server Temp Key: ([^,\n]+)", r"OCSP Response Status: (\w+)", r"Cert Status: (\w+)",
        r"^(Acceptable client certificate)",
    ]  # fmt: skip
    found = [re.search(word, said, re.MULTILINE) for word in words]
    return " ".join(match[1] if match else "-" for match in found)


def test_papers_are_haproxys(lab, say, tmp_path):
    issue(tmp_path)
    answers = {}
    for name, _ in twins(lab, tmp_path / "papers.cfg", tmp_path):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(told, lab, tmp_path, *question) for question in ASKED]
            answers[name] = [answer.result() for answer in asked]
    wrong = []
    for question, ours, theirs in zip(ASKED, answers["tandem"], answers["haproxy"]):
        # HAProxy 2.6 reads the curves of a line, and then uses those of the first certificate.
        if question[1] == "curved.example" and not ours.startswith("-"):
            assert " ECDH " in ours and " X25519 " in theirs
            ours = ours.replace(" ECDH ", " X25519 ")
        if ours != theirs:
            wrong.append(f"{question}: {ours} | HAProxy: {theirs}")
    stapled = sum("successful good" in answer for answer in answers["tandem"])
    refused = sum(answer.startswith("- ") for answer in answers["tandem"])
    say(f"{len(ASKED)} handshakes, {refused} refused, {stapled} with a stapled answer")
    assert "\n".join(wrong) == ""
    assert stapled == 2
    assert refused > 5

"""How sessions end: whatever either side does, at whatever moment, the log says what HAProxy says.

Codes that its manual has and no case here, since nothing in TCP mode leads to them, as was seen with 2.6:

PC    A connection refused at the process' limit of sockets is SC there; with us it is RC, a resource that
      has run out, which source-not-here shows.  What a rule refuses is PR or PD.
I.    IC of a connection to a TLS server above `maxsslconn`; here `maxconn` counts those, too, and the
      client waits to be accepted.
L.    Statistics and redirects, in HTTP mode only.  A session that `use-service` answers, which we do not
      have, ends as --.
H, T  as the second one: in HTTP mode only.
"""

import re
import signal
import subprocess

from lab.lab import PROGRAMS, PYTHON
from lab.process import Process, wait_until
from lab.twins import twins

# HAProxy's manual says of CC and CQ that the client aborted before there was a connection, or in the
# queue, and of R that a source port or address could not be had; HAProxy 2.6 has other letters for
# some of these.  Case -> what HAProxy says, what we say.
MANUAL = {
    "client-resets-server-deaf": (["CD"], ["CC"]),
    "client-resets-in-queue": (["--", "CD"], ["--", "CQ"]),
    "tls-to-server-client-resets": (["CD"], ["CC"]),
    "source-not-here": (["SC"], ["RC"]),
}

END = re.compile(r"END (\S+?)~? \S+ (\S\S) ")
FAILURE = re.compile(r"\] (\S+)/1: (.*)")
FAULTS = re.compile(r"END (\S+?)~? .* FAULTS (.*)")


def ends(log):
    """Case -> the codes of its sessions, or the words for one that got no further."""
    found = {}
    for line in log.read_text(errors="replace").splitlines():
        match = END.search(line) or FAILURE.search(line)
        if match:
            found.setdefault(match[1], []).append(match[2])
    return {case: sorted(codes) for case, codes in found.items()}


def faults(log):
    """Case -> what fc_err and bc_err say of its sessions."""
    found = {}
    for line in log.read_text(errors="replace").splitlines():
        if match := FAULTS.search(line):
            found.setdefault(match[1], []).append(match[2])
    return {case: sorted(words) for case, words in found.items()}


def test_endings_are_haproxys(lab, say, tmp_path):
    program = PROGRAMS / "endings.py"
    subprocess.run([PYTHON, program, "config", tmp_path], check=True)
    codes, said, played = {}, {}, {}
    for name, log in twins(lab, tmp_path / "endings.cfg", tmp_path):
        balancer = lab.processes[-1]
        saw = tmp_path / f"{name}.saw"
        player = Process(
            "endings",
            [PYTHON, program, "play", tmp_path, log],
            saw,
            namespace=lab.network.namespace("client"),
        )
        lab.started(player)
        wait_until(lambda: ": client" in saw.read_text(), 60, "all cases have been played")
        balancer.signal(signal.SIGUSR1 if name == "haproxy" else signal.SIGTERM)
        wait_until(lambda: saw.read_text().endswith("\nend\n"), 20, "the last session is ended")
        wait_until(lambda: "END killed " in log.read_text(errors="replace"), 20, "it is logged")
        played[name] = re.findall(r"^(\S+): client", saw.read_text(), re.MULTILINE)
        assert "NOTHING" not in saw.read_text()
        codes[name], said[name] = ends(log), faults(log)
    kinds = sorted({code for found in codes["tandem"].values() for code in found if len(code) == 2})
    say(f"{len(played['tandem'])} endings: {' '.join(kinds)}")
    wrong = []
    for case in played["haproxy"]:
        theirs, ours = codes["haproxy"].get(case, []), codes["tandem"].get(case, [])
        if (theirs, ours) != MANUAL.get(case, (theirs, theirs)):
            wrong.append(f"{case}: {ours}, HAProxy: {theirs}")
        elif theirs != ours:
            say(f"{case}: {' '.join(ours)}, HAProxy: {' '.join(theirs)}")
    assert "\n".join(wrong) == ""
    assert len(kinds) > 15
    say(f"fc_err and bc_err: {len({words for found in said['tandem'].values() for words in found})} kinds")
    assert said["tandem"] == said["haproxy"]

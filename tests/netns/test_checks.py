"""Checks that speak a protocol, against servers that hang."""

import os
import signal

import pytest

from lab import config
from lab.lab import PAIR
from lab.process import now

INTER_S, FALL, CHECK_S = 0.25, 3, 0.25


@pytest.mark.quick
def test_hung_server(lab, patience, say):
    """Row 10: only what was sent to it before (fall + 1) x inter + timeout check fails."""
    check = f"check inter {INTER_S * 1000:.0f}ms fall {FALL} rise 2"
    health = f"    option httpchk GET /\n    timeout check {CHECK_S * 1000:.0f}ms\n"
    pair = config.Pair(version=3, advert_s=0.1)
    for name in PAIR:
        lab.tandem(name, pair, proxy=config.proxy(check) + health)
    lab.start_pair(timeout=10 * patience)
    probe = lab.probe()
    probe.wait_ok(timeout=10 * patience)
    web = lab.webs["web1"]
    struck = now()
    os.kill(web.pid, signal.SIGSTOP)
    try:
        # Not one failure in as many launches as the bound is long: the server is out.
        probe.wait_ok(in_a_row=200, timeout=20 * patience)
    finally:
        os.kill(web.pid, signal.SIGCONT)
    failed = probe.failed(struck - CHECK_S)
    bound_s = (FALL + 1) * INTER_S + CHECK_S
    last_s = max(entry[0] for entry in failed) - struck
    probe.wait_ok(in_a_row=100)
    probe.stop()
    say(f"row 10 a web server hangs: {len(failed)} failed, the last launched after "
        f"{last_s * 1000:.0f} ms (bound {bound_s * 1000:.0f})")
    assert last_s <= bound_s * patience + 0.1
    for node in lab.nodes.values():
        assert node.complaints() == []

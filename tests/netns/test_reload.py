"""Reload: what has not changed does not notice."""

import os
import signal

import pytest

from lab.process import wait_until

pytestmark = pytest.mark.quick


def test_reload_changes_nothing(lab, pair_of, fast, say):
    """The same file again, by command and by signal: another worker, and nobody notices."""
    lb1, _ = pair_of(fast())
    first = lb1.worker()
    probe = lab.probe()
    probe.wait_ok()
    status, text = lb1.reload()
    assert status == 0, text
    second = wait_until(lambda: (pid := lb1.worker()) != first and pid, 5, "another worker")
    os.kill(lb1.guardian, signal.SIGHUP)
    wait_until(lambda: lb1.worker() not in (first, second), 5, "a third worker")
    probe.wait_ok()
    probe.stop()
    say(f"reload: {lb1.log_text().count('reloaded in')} times, {len(probe.failed())} probes failed")
    assert probe.failed() == []
    assert lab.watch.holders(lab.vip) == ["lb1"]
    assert lb1.log_text().count("Entering") == 2, "BACKUP and MASTER, at the start"

"""What befalls the daemon itself (lab/hardships.py): threads that hang, no memory, no descriptors, a log
that nobody reads, names that nobody answers, a worker that dies again and again."""

import pytest

from lab.faults import Drill
from lab.hardships import HARDSHIPS
from lab.lab import PAIR
from lab.margin import within

TESTED = ["stuck-proxy", "stuck-vrrp", "guardian-stopped", "no-memory", "no-descriptors", "log-hangs"]
TESTED += ["syslog-hangs", "no-names", "crash-loop"]


@pytest.mark.parametrize("name", TESTED)
def test_hardship(lab, fast, patience, say, name):
    hardship, pair = HARDSHIPS[name], fast()
    for node in PAIR:
        lab.tandem(node, pair, hardship.proxy and hardship.proxy())
    if hardship.prepare:
        hardship.prepare(lab)
    lab.start_pair(timeout=(pair.down_s() + 5) * patience)
    result = Drill(lab, pair, patience, lambda bound_ms: within(bound_ms, patience)).run(hardship)
    say(result.line())
    assert result.problems == []
    assert result.outage_ms <= within(result.bound_ms, patience)
    assert result.back_outage_ms <= within(result.back_bound_ms, patience)
    lab.watch.wait_holders(lab.vip, ["lb1"], 10 * patience)

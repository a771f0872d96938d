"""Many instances, many addresses: nothing is lost or slow.  Beside keepalived: scripts/lab scale."""

import pytest

from lab.margin import within
from lab.scale import SCALES, line, measure


@pytest.mark.parametrize("name", SCALES)
def test_scale(lab, patience, say, name):
    """SIGTERM on the master: its peer holds the last address soon, and lets go on return."""
    scale = SCALES[name]
    outcome = measure(lab, "tandem", scale, rounds=1, rest_s=0, patience=patience)
    say(line(scale, outcome))
    assert outcome.raw_sockets == 1, "one socket for an interface and family, whatever the instances"
    assert max(outcome.moved_ms) <= within(scale.bound_ms, patience)

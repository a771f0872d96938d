"""A part of the interop matrix that fits into the tests' time; all of it: scripts/lab interop."""

import pytest

from lab.interop import cells, run_cell
from lab.margin import within

PART = ["v3-multicast/tandem-frr", "v3-ipv6-multicast/frr-tandem", "v3-multicast/keepalived-tandem"]


@pytest.mark.parametrize("name", PART)
def test_cell(lab, patience, say, name):
    """Election, SIGTERM, SIGKILL and cut with their returns, and the captures judged."""
    cell = next(cell for cell in cells() if cell.name == name)
    result = run_cell(lab, cell, patience, limit=lambda bound_ms: within(bound_ms, patience))
    say("  ".join(result.columns()))
    assert result.problems == []

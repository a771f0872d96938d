"""The fault table on a pair of Tandems; the rows themselves are in lab/faults.py.  Row 17 is rows 1 to 8
again, at intervals of 10 ms."""

import pytest

from conftest import make_lab
from lab.config import Pair
from lab.faults import FAULTS, Drill, burn
from lab.lab import PAIR
from lab.margin import within

ROWS = [name for name in FAULTS if name != "proxy"]  # row 4 is row 2 here
QUICK = {"term", "kill", "killall", "hang", "del", "pause"}
FAST = Pair(version=3, advert_s=0.01)
FAST_ROWS = ["term", "kill", "killall", "hang", "noway", "link", "carrier", "port"]
CASES = [pytest.param(Pair(), name, marks=pytest.mark.quick if name in QUICK else (), id=name) for name in ROWS]
CASES += [pytest.param(FAST, name, id=f"17-{name}") for name in FAST_ROWS]


class Bench:
    """One lab for all rows.  After a row that went well the pair is as it was before it."""

    def __init__(self, request):
        self.lab = make_lab(request)
        self.lab.up()
        self.pair = None

    def ready(self, pair, patience):
        if self.pair != pair:
            assert self.lab.stop_pair() == []
            self.pair = pair
        if not self.lab.nodes:
            for name in PAIR:
                self.lab.tandem(name, self.pair)
            self.lab.start_pair(timeout=10 * patience)
        return self.lab


@pytest.fixture(scope="module")
def bench(request):
    bench = Bench(request)
    yield bench
    problems = bench.lab.stop_pair()
    bench.lab.down()
    assert problems == []


@pytest.fixture
def lab(bench, pair, patience, request):
    """The running pair, replaced by a new one after a row that failed."""
    lab = bench.ready(pair, patience)
    failed = request.session.testsfailed
    yield lab
    if request.session.testsfailed > failed:
        lab.down()
        bench.__init__(request)


@pytest.mark.parametrize("pair, name", CASES)
def test_fault(lab, pair, patience, say, name):
    fault = FAULTS[name]
    result = Drill(lab, pair, patience, lambda bound_ms: within(bound_ms, patience)).run(fault)
    say(("row 17, at 10 ms: " if pair == FAST else "") + result.line())
    assert result.problems == []
    assert result.outage_ms <= within(result.bound_ms, patience)
    assert result.back_outage_ms <= within(result.back_bound_ms, patience)
    if fault.max_failed is not None:
        # On a busy machine more requests are under way at any moment.
        assert result.lost <= 5 * fault.max_failed * patience
    if fault.name in ("del", "web"):
        assert result.holder == "lb1"
    lab.watch.wait_holders(lab.vip, ["lb1"], 10 * patience)
    for node in lab.nodes.values():
        assert node.complaints() == []


@pytest.mark.parametrize("pair", [Pair(version=3, advert_s=0.5)], ids=["500ms"])
def test_burn(lab, pair, patience, say):
    """Row 18.  Ten minutes of it, at 100 ms, on a machine that stands still for nothing else:
    scripts/lab burn."""
    changes, lines = burn(lab, 15.0)
    say(f"row 18 CPU burnt on both nodes for 15 s at 500 ms: {len(changes)} false fail-overs")
    assert changes == []
    assert lines == []

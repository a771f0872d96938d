"""The fault table on a pair of Tandems; the rows themselves are in lab/faults.py."""

import pytest

from conftest import make_lab
from lab.config import Pair
from lab.faults import FAULTS, Drill
from lab.lab import PAIR

ROWS = [name for name in FAULTS if name != "proxy"]  # row 4 is row 2 here
QUICK = {"term", "kill", "killall", "hang", "del", "pause"}


class Bench:
    """One lab for all rows.  After a row that went well the pair is as it was before it."""

    def __init__(self, request):
        self.lab = make_lab(request)
        self.lab.up()
        self.pair = Pair()

    def ready(self, patience):
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
def lab(bench, patience, request):
    """The running pair, replaced by a new one after a row that failed."""
    lab = bench.ready(patience)
    failed = request.session.testsfailed
    yield lab
    if request.session.testsfailed > failed:
        lab.down()
        bench.__init__(request)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.quick) if name in QUICK else name for name in ROWS],
)
def test_fault(lab, bench, patience, say, name):
    fault = FAULTS[name]
    result = Drill(lab, bench.pair, patience).run(fault)
    say(result.line())
    assert result.problems == []
    # The order of magnitude is what fails a build: machines that run tests are noisy.
    assert result.outage_ms <= (1.3 * result.bound_ms + 100) * patience
    assert result.back_outage_ms <= (1.3 * fault.back_bound_ms(bench.pair) + 100) * patience
    if fault.max_failed is not None:
        assert result.failed <= fault.max_failed * patience
    if fault.name in ("del", "web"):
        assert result.holder == "lb1"
    assert result.holder_at_end == "lb1"
    for node in lab.nodes.values():
        assert node.complaints() == []

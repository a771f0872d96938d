"""What the scenarios share: the lab as a fixture, one printed line for each, logs on failure."""

import dataclasses
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from lab import config  # noqa: E402
from lab.lab import PAIR, ROOT, Lab, end_on_signals, sweep_abandoned  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--build", default=None, help="meson build directory of the daemon")
    parser.addoption("--patience", type=float, default=1.0, help="factor on waits and bounds")


def pytest_configure(config):
    config.addinivalue_line("markers", "quick: also run on builds with sanitizers")
    if os.geteuid():
        raise pytest.UsageError("network namespaces need root: use scripts/test")
    end_on_signals()
    sweep_abandoned()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    lab = getattr(item, "funcargs", {}).get("lab")
    if report.failed and lab:
        report.sections.append(("logs of the nodes", lab.logs()))


@pytest.fixture(scope="session")
def patience(request):
    return request.config.getoption("--patience")


@pytest.fixture
def say(request):
    """Prints one line past pytest's capture: the scenario's figures."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def line(text):
        with capture.global_and_fixture_disabled():
            print(f"\n    {text}", end="", flush=True)

    return line


def make_lab(request):
    return Lab(build=request.config.getoption("--build") or ROOT / "build")


@pytest.fixture
def lab(request):
    """A fresh network.  Whatever pair the test started must end well and leave nothing."""
    with make_lab(request) as lab:
        lab.up()
        yield lab
        assert lab.stop_pair() == []


@pytest.fixture
def pair_of(lab, patience):
    """pair_of(Pair(...)) starts Tandem on both nodes and waits for the master."""

    def start(pair, master="lb1", **more):
        for name in PAIR:
            lab.tandem(name, pair, **more)
        lab.start_pair(master, timeout=(pair.down_s() + 5) * patience)
        return lab.nodes["lb1"], lab.nodes["lb2"]

    return start


# A node must stand still for more than a second until the other one takes over from it.
FAST = config.Pair(version=3, advert_s=0.3)


@pytest.fixture
def fast():
    """Version 3 at 300 ms: elections in a second.  fast(field=value, ...)."""

    def make(**changes):
        return dataclasses.replace(FAST, **changes)

    return make

"""What a test may say of time: that something works, or that it does not, on whatever machine it runs.

A build must not fail because a machine was busy for a moment.  So the bounds of the fault table are judged
where somebody sees to it that the machine is quiet (scripts/lab, scripts/bench); tests print the same
figures and fail only far beyond them.  `patience` is the run's factor for builds that are slow."""


def within(bound_ms, patience):
    """What may be asserted of something that should take `bound_ms`, in ms: twice that and a second."""
    return (2 * bound_ms + 1000) * patience


def share_within(bound, patience):
    """The same for a share of a core: machines differ less in that, but caches and clocks do."""
    return 5 * bound * patience


def check_unharmed(probe, patience, since=0.0, until=float("inf")):
    """No request was refused or broken off.  Late ones are the machine's, if it was not for long."""
    lost = probe.lost(since, until)
    assert lost == [], f"{len(lost)} requests were lost: {lost[:5]}"
    assert probe.outage_ms(since, until) <= within(0, patience)

"""Two minutes of random faults, the same ones every time, and the master killed several times in a row.
Half an hour of it, with other seeds: scripts/lab chaos; fifty kills: scripts/lab kills."""

from lab import config
from lab.chaos import Chaos, Kills, checked_proxy
from lab.faults import down

SEED, SECONDS, KILLS = 5, 120, 4


def test_chaos(lab, pair_of, patience, fast, say):
    pair = fast()
    pair_of(pair, proxy=checked_proxy())
    chaos = Chaos(lab, pair, SEED, patience, say=lambda text: None)
    chaos.run(SECONDS)
    say(chaos.summary())
    for text in chaos.late:
        say(text)


def test_kills(lab, pair_of, patience, fast, say):
    """SIGKILL to everything on the master; each time the service is back, and no address stays."""
    pair = fast()
    pair_of(pair)
    kills = Kills()
    kills.run(lab, pair, KILLS, patience)
    for line in kills.lines():
        say(f"{KILLS} times SIGKILL to everything: {line}")
    assert max(kills.away_ms) <= (2 * down(pair) + 1000) * patience
    assert max(kills.gone_ms) <= (2 * config.LEASE_S + 2) * 1000 * patience

"""The whole fault table, with Tandem and with keepalived and HAProxy, as the table of the README."""

import dataclasses

from . import config, hardships
from .faults import FAULTS, Drill
from .lab import PAIR, Lab
from .upkeep import TRIALS, UPKEEP

MANY = 8000  # connections open in faults where the kernel's clearing up could delay the rest
FAST = config.Pair(version=3, advert_s=0.01)
FAST_ROWS = ("term", "kill", "segv", "killall", "proxy", "hang", "noway", "link", "carrier", "port")
DRILLS = {**FAULTS, **UPKEEP, **hardships.HARDSHIPS}
ALL_TRIALS = {**TRIALS, **hardships.TRIALS}
NAMES = {**DRILLS, **ALL_TRIALS}
KINDS = ("tandem", "keepalived")


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of the table: a drill or a trial, on the pair it is meant for."""

    what: object
    pair: object
    label: str

    @property
    def is_trial(self):
        return self.what.name in ALL_TRIALS


def number(label):
    """Rows in order: "7c" after "7", those of row 17 behind 16."""
    major, _, minor = label.partition("/")
    digits = "".join(c for c in major if c.isdigit())
    return int(digits), minor or major


def lines(pair):
    """Every row of the table."""
    rows = [Line(one, pair, one.row) for one in {**FAULTS, **UPKEEP}.values()]
    rows += [Line(FAULTS[name], FAST, f"17/{FAULTS[name].row}") for name in FAST_ROWS]
    rows += [Line(one, one.pair(pair), one.row) for one in TRIALS.values()]
    return sorted(rows, key=lambda line: number(line.label))


def with_script(pair):
    """keepalived watches its HAProxy through a script, as in the field."""
    return dataclasses.replace(pair, script="CHECK_PROXY")


def rounds(what, short):
    return what.repeated[1 if short else 0] if what.repeated else 1


def opened(what, asked):
    """How many connections lie open during this fault."""
    if asked is not None:
        return asked
    return max(MANY, what.open) if what.open >= 1000 else what.open


def strike(lab, line, short, asked):
    """One drill on the running pair, told in a line."""
    drill = Drill(lab, line.pair)
    drill.rounds = rounds(line.what, short)
    result = drill.run(line.what, opened(line.what, asked))
    print(("row 17, at 10 ms: " if line.pair == FAST else "") + result.line(), flush=True)
    for problem in result.problems:
        print(f"    {problem}", flush=True)
    return result


def attempt(lab, line, short):
    """One trial on the running pair."""
    outcome = line.what.run(lab, line.pair, rounds(line.what, short))
    print(f"row {line.label:>3} {line.what.title}: {outcome.figure} (must be {line.what.bound})", flush=True)
    for problem in outcome.problems:
        print(f"    {problem}", flush=True)
    return outcome


class Bench:
    """A lab for lines of one kind of node; the pair is made anew when a line wants another one."""

    def __init__(self, kind, short, asked):
        self.kind, self.short, self.asked = kind, short, asked
        self.lab, self.built = None, None

    def ready(self, line):
        made = line.what if not line.is_trial and (line.what.proxy or line.what.prepare) else None
        bare = line.is_trial and line.what.bare
        wanted = (line.pair, made, bare)
        if self.lab and self.built == wanted:
            return
        self.clear()
        self.lab = Lab()
        self.lab.up()
        self.built = wanted
        if bare:
            return
        proxy = made and made.proxy and made.proxy()
        for name in PAIR:
            if self.kind == "tandem":
                self.lab.tandem(name, line.pair, proxy)
            else:
                self.lab.classic(name, with_script(line.pair), proxy)
        if made and made.prepare:
            made.prepare(self.lab)
        self.lab.start_pair()

    def run(self, line):
        """The Result or Outcome of the line."""
        self.ready(line)
        if line.is_trial:
            result, again = attempt(self.lab, line, self.short), True
        else:
            result = strike(self.lab, line, self.short, self.asked)
            again = self.kind != "tandem" or result.problems or line.what.prepare
        if again:
            self.clear()  # the next fault starts from a clean pair
        return result

    def clear(self):
        if self.lab:
            self.lab.stop_pair()
            self.lab.down()
            self.lab = None


@dataclasses.dataclass
class Unmeasured:
    """The lab could not do it, twice: a pair that goes to and fro lets nobody open 8,000 connections."""

    problems: list


def measure(bench, line):
    error = None
    for _ in range(2):
        try:
            return bench.run(line)
        except (RuntimeError, TimeoutError) as caught:
            error = caught
            print(f"row {line.label:>3} {line.what.title}: {error}", flush=True)
            bench.clear()
    return Unmeasured([str(error)])


def run(chosen, kind, short=False, asked=None):
    """Line -> Result, Outcome or Unmeasured, on pairs of that kind made for the purpose."""
    bench = Bench(kind, short, asked)
    try:
        return {line: measure(bench, line) for line in chosen}
    finally:
        bench.clear()


def figure(line, result):
    """What a fault cost, or how a trial went."""
    if isinstance(result, Unmeasured):
        return "not measured"
    if line.is_trial:
        return result.figure
    if not result.recovered:
        return "until healed"
    return f"{result.outage_ms:.0f} ms"


def verdict(line, result):
    if result.problems:
        return "broken"
    if line.is_trial:
        return "within" if result.good else "over"
    allowed = line.what.max_failed
    over = result.outage_ms > result.bound_ms or (allowed is not None and result.failed > allowed)
    return "over" if over else "within"


def bad(line, result):
    """Is this a figure that the table does not allow?"""
    return verdict(line, result) != "within"


def markdown(ours, theirs, short=False, asked=None):
    """The table: the bound, what it cost, whether that is within the bound, what it cost the others."""
    head = "| # | fault on the master | must be within | Tandem | | requests failed |"
    rule = "|---|---|---|---|---|---|"
    if theirs:
        head, rule = head + " keepalived + HAProxy |", rule + "---|"
    text = [head, rule]
    for line, result in ours.items():
        title, count = line.what.title, 0 if line.is_trial else opened(line.what, asked)
        if line.what.repeated and not (line.is_trial and line.what.seconds):
            title += f", {rounds(line.what, short)} times"
        if count:
            title += f", {count:,} connections open"
        bound = line.what.bound if line.is_trial else f"{line.what.bound_ms(line.pair):.0f} ms"
        plain = line.is_trial or isinstance(result, Unmeasured)
        failed = "" if plain else f"{result.failed} of {result.probes}"
        cells = [line.label, title, bound, figure(line, result), verdict(line, result), failed]
        if theirs:
            other = theirs.get(line)
            cells.append(other_figure(line, other) if other else "–")
        text.append("| " + " | ".join(cells) + " |")
    return "\n".join(text)


def other_figure(line, result):
    """Theirs, with the requests where those are what the row is about."""
    text = figure(line, result)
    if isinstance(result, Unmeasured):
        return text
    if line.what.name == "killall" and "lb1" in result.holder:
        text += ", its address stays"
    if not line.is_trial and (line.what.max_failed is not None or line.what.until_last) and result.failed:
        text += f", {result.failed} of {result.probes} failed"
    return text

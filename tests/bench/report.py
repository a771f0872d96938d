"""report.py - medians, ratios between neighbouring slices, and the bounds tandem has to keep."""

import statistics

from measure import scenarios

# What tandem promises: the median of its ratio to each of these is no more than that.
PEERS = ("haproxy", "nginx")
RATIOS = (
    ("keepalive", "CPU", PEERS, 1.00),
    ("keepalive", "CPU", ("relay",), 1.05),
    ("connect", "CPU", PEERS, 1.00),
    ("connect", "CPU", ("relay",), 1.05),
    ("connect-log", "CPU", ("haproxy",), 1.00),
    ("connect-log", "CPU", ("relay",), 1.10),
    ("bulk", "CPU", PEERS, 0.70),
    ("tls-keepalive", "CPU", PEERS, 1.00),
    ("tls-full", "CPU", PEERS, 1.00),
    ("tls-idle", "memory", ("haproxy",), 1.00),
    ("checks", "CPU", ("haproxy",), 1.00),
    ("checks-spread", "CPU", ("haproxy",), 1.00),
)
IDLE_BYTES = 1536


class Report:
    """Reads the results of a finished Bench."""

    def __init__(self, bench):
        self.bench = bench
        self.names = list(bench.subjects)
        self.scenarios = [
            s for s in scenarios(bench.options.quick) if s.name in bench.options.scenarios
        ]

    def values(self, scenario, name, key="value"):
        return [
            r[key]
            for r in self.bench.results
            if r["scenario"] == scenario and r["subject"] == name and key in r
        ]

    def ratio(self, scenario, name, base):
        """Median of the ratios of each slice: both lists are in the order of measuring."""
        if name == base or base not in self.names:
            return None
        pairs = zip(self.values(scenario, name), self.values(scenario, base))
        ratios = [value / other for value, other in pairs if other > 0]
        return statistics.median(ratios) if ratios else None

    def rows(self):
        """One for each kind of work, and one for the syscalls of it where they were counted."""
        bases = self.bases()
        for scenario in self.scenarios:
            medians = {
                name: statistics.median(values)
                for name in self.names
                if (values := self.values(scenario.name, name))
            }
            yield [
                f"{scenario.title}, {scenario.unit}",
                *(number_or_dash(medians.get(name), 1) for name in self.names),
                *(number_or_dash(self.ratio(scenario.name, "tandem", base), 2) for base in bases),
            ]
            counted = self.bench.syscalls.get(scenario.name, {})
            if counted:
                sums = {name: sum(calls.values()) for name, calls in counted.items()}
                yield [
                    f"{scenario.title}, syscalls",
                    *(number_or_dash(sums.get(name), 1) for name in self.names),
                    *("" for _ in bases),
                ]

    def bases(self):
        """What tandem is compared with."""
        return [n for n in self.names if n != "tandem"] if "tandem" in self.names else []

    def markdown(self):
        head = ["work", *self.names, *(f"tandem / {base}" for base in self.bases())]
        lines = ["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|"]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows()]
        lines.append("")
        for scenario, subjects in self.bench.syscalls.items():
            for name, calls in subjects.items():
                most = sorted(calls.items(), key=lambda item: -item[1])
                text = ", ".join(f"{call} {n:.2f}" for call, n in most if n >= 0.005)
                lines.append(f"- syscalls, {scenario}, {name}: {text}")
        for name in self.names:
            shares = self.values("idle", name, "cpu_share")
            if shares:
                share = statistics.median(shares)
                lines.append(f"- CPU with the idle connections open, {name}: {share:.2%} of a core")
        for scenario in ("keepalive", "connect"):
            for name in self.names:
                one, two = self.values(scenario, name), self.values(f"{scenario}-2", name)
                if one and two:
                    ratio = statistics.median(two) / statistics.median(one)
                    lines.append(f"- CPU with two threads / with one, {scenario}, {name}: {ratio:.2f}")
        return "\n".join(lines) + "\n"

    def bounds(self):
        """(sentence, kept) for each promise the run can judge."""
        for scenario, what, bases, limit in RATIOS:
            for base in bases:
                ratio = self.ratio(scenario, "tandem", base) if "tandem" in self.names else None
                if ratio is not None:
                    text = f"{scenario}: {what} of tandem / {base} = {ratio:.2f}, at most {limit:.2f}"
                    yield text, ratio <= limit
        memory = self.values("idle", "tandem")
        if memory:
            used = statistics.median(memory)
            text = f"idle: {used:,.0f} bytes of user memory a connection, at most {IDLE_BYTES:,}"
            yield text, used <= IDLE_BYTES


def number_or_dash(value, digits):
    return "–" if value is None else f"{value:,.{digits}f}"

"""bench.py - tandem beside HAProxy, nginx and an empty relay: what each costs in CPU and memory.

Started by scripts/bench.  In every round each scenario has all subjects started afresh; they take
turns in short slices, so that what else the machine does hits all alike.  The proxy has one CPU to
itself, clients and server share another.  What counts is the CPU time the kernel has booked on all
threads of the subject's process tree (/proc/PID/task/*/schedstat), and its resident private memory
(Pss_Anon and Pss_Shmem).  Ratios are taken between neighbouring slices; medians are shown.  Only
loopback addresses are used, and only processes started here are ended.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile

from measure import Bench, say, scenarios
from processes import BenchError
from report import Report
from subjects import NGINX_MODULE, SUBJECTS


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="CPU and memory of tandem beside HAProxy, nginx and an empty relay.",
    )
    names = list(SUBJECTS)
    kinds = [s.name for s in scenarios(False)]
    parser.add_argument("--quick", action="store_true", help="3 short rounds")
    parser.add_argument("--rounds", type=int, help="default 5, quick 3")
    parser.add_argument("--subjects", default=",".join(names), help="of " + ",".join(names))
    parser.add_argument("--scenarios", default=",".join(kinds), help="of " + ",".join(kinds))
    parser.add_argument("--no-strace", action="store_true", help="do not count syscalls")
    parser.add_argument("--markdown", metavar="FILE", help="write the table there, too")
    parser.add_argument("--json", metavar="FILE", help="write every single measurement there")
    parser.add_argument("--gate", action="store_true", help="exit 2 if tandem breaks a bound")
    parser.add_argument("--limit", type=int, default=60, help="seconds one measurement may take")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--tandem", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 5)
    for key, known in (("subjects", names), ("scenarios", kinds)):
        chosen = getattr(options, key).split(",")
        unknown = set(chosen) - set(known)
        if unknown:
            parser.error(f"--{key}: no such: {', '.join(sorted(unknown))}")
        setattr(options, key, chosen)
    return options


def drop_missing(options):
    missing = {
        "haproxy": not shutil.which("haproxy"),
        "nginx": not shutil.which("nginx") or not os.path.exists(NGINX_MODULE),
        "tandem": not os.path.exists(options.tandem),
    }
    for name in [n for n in options.subjects if missing.get(n)]:
        say(f"left out: {name}, which is not here")
        options.subjects.remove(name)
    if not options.subjects:
        raise BenchError("nothing to measure")
    if not options.no_strace and not shutil.which("strace"):
        say("syscalls are not counted: strace is not here")
        options.no_strace = True


def run(options, directory):
    os.chmod(directory, 0o755)  # a proxy that has dropped its privileges looks into it
    bench = Bench(options, directory)
    addresses = [a for s in bench.subjects.values() for a in (s.server, *s.checked)]
    server = bench.popen_tool("server", addresses)
    try:
        bench.run_rounds()
        if not options.no_strace:
            bench.count_syscalls()
    finally:
        server.kill()
        server.wait()
    report = Report(bench)
    table = report.markdown()
    say("\n" + table)
    if options.markdown:
        with open(options.markdown, "w", encoding="utf-8") as file:
            file.write(table)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"results": bench.results, "syscalls": bench.syscalls}, file, indent=1)
    all_kept = True
    for sentence, kept in report.bounds():
        say(("holds   " if kept else "BROKEN  ") + sentence)
        all_kept &= kept
    return 2 if options.gate and not all_kept else 0


def main():
    # Every way out passes the `finally`s that end what was started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = parse_arguments()
    try:
        drop_missing(options)
        with tempfile.TemporaryDirectory(prefix="tandem-bench-") as directory:
            return run(options, directory)
    except BenchError as error:
        print(f"scripts/bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())

"""scripts/lab: the pair for a person to play with, and the fault table on demand."""

import argparse
import os
import random
import sys

from . import config, hardships, table
from .chaos import EXTRAS, Broken, Chaos, Kills, written
from .faults import FAULTS, burn
from .interop import cells, run_cell
from .interop import table as interop_table
from .lab import PAIR, Lab, end_on_signals, sweep_abandoned
from .network import run
from .reloads import Reloads, pair_for
from .scale import SCALES, broken_bounds, line, measure

HOME = "/run/tandem-lab"
PREFIX = "tdlab"


def attach():
    lab = Lab.attach(HOME)
    if not lab:
        sys.exit("No lab is up: scripts/lab up")
    return lab


def choose_pair(args):
    if args.advert != 1.0 and args.vrrp == 2 and args.advert != int(args.advert):
        sys.exit("VRRP version 2 knows whole seconds only: add --vrrp 3")
    return config.Pair(version=args.vrrp, advert_s=args.advert, unicast=not args.multicast)


def up(args):
    if Lab.attach(HOME):
        sys.exit("The lab is up already: scripts/lab down")
    lab = Lab(PREFIX, keep=True, directory=HOME)
    try:
        lab.up()
        for name in PAIR:
            lab.tandem(name, choose_pair(args))
        lab.start_pair()
    except BaseException:
        print(lab.logs(), file=sys.stderr)
        lab.down()
        raise
    lab.save()
    print(f"lb1 10.0.0.11 and lb2 10.0.0.12 share {lab.vip}; web1 .21, web2 .22, client .100.")
    print(f"The file of both nodes: {HOME}/lb1/tandem.conf")
    print("Try: scripts/lab shell client, there: curl http://10.0.0.10/")
    print("     scripts/lab status | fault list | fault kill | down")


def down(_args):
    lab = Lab.attach(HOME)
    if lab:
        for problem in lab.stop_pair():
            print(problem, file=sys.stderr)
        lab.down()
    else:
        Lab(PREFIX, directory=HOME).down()


def shell(args):
    lab = attach()
    namespace = lab.network.namespace(args.node)
    environment = {**os.environ, "PS1": f"{args.node}# ", "debian_chroot": args.node}
    if args.node in lab.nodes:
        environment["TANDEM_RUNDIR"] = str(lab.nodes[args.node].run_directory)
        environment["PATH"] = f"{os.path.dirname(lab.binary)}:{environment.get('PATH', '')}"
    command = args.command or [os.environ.get("SHELL", "/bin/bash")]
    os.execvpe("ip", ["ip", "netns", "exec", namespace, *command], environment)


def status(args):
    lab = attach()
    for name, node in lab.nodes.items():
        print(f"--- {name}{'' if node.alive else ' (down)'} ---")
        flags = ["--json"] if args.json else []
        print(run(lab.binary, "-R", node.run_directory, "status", *flags, check=False))
    print(f"{lab.vip} is held by {lab.watch.holder(lab.vip)}")


def fault(args):
    if args.name == "list":
        for one in table.NAMES.values():
            print(f"{one.name:18} row {one.row:>3}  {one.title}")
        return
    pair = choose_pair(args)
    if args.name == "all":
        chosen = table.lines(pair)
    elif args.name == "hardships":
        chosen = [table.Line(one, pair, one.row) for one in {**hardships.HARDSHIPS, **hardships.TRIALS}.values()]
    elif args.name in table.NAMES:
        one = table.NAMES[args.name]
        chosen = [table.Line(one, one.pair(pair) if args.name in table.ALL_TRIALS else pair, one.row)]
    else:
        sys.exit(f"No such fault: {args.name}; see scripts/lab fault list")
    ours = run_faults(args, chosen)
    theirs = {}
    if args.peer or (args.name == "all" and not args.alone):
        print("The same with keepalived and HAProxy:", flush=True)
        theirs = table.run(chosen, "keepalived", args.short, args.open)
    if args.markdown or args.name == "all":
        print(table.markdown(ours, theirs, args.short, args.open))
    if any(table.bad(line, result) for line, result in ours.items()):
        sys.exit(1)


def run_faults(args, chosen):
    """One fault strikes the lab that is up, if there is one."""
    line, lab = chosen[0], None if args.peer or len(chosen) > 1 else Lab.attach(HOME)
    if not lab or line.is_trial or line.what.proxy or line.what.prepare:
        return table.run(chosen, "tandem", args.short, args.open)
    ours = {line: table.strike(lab, line, args.short, args.open)}
    lab.save()
    return ours


def burn_cpu(args):
    pair = config.Pair(version=3, advert_s=0.1)
    with Lab() as lab:
        lab.up()
        for name in PAIR:
            lab.tandem(name, pair)
        lab.start_pair()
        changes, lines = burn(lab, args.minutes * 60)
        problems = lab.stop_pair()
    print(f"CPU burnt on both nodes for {args.minutes:g} min at 100 ms: {len(changes)} false fail-overs")
    for text in lines + problems:
        print(text)
    if changes or lines or problems:
        sys.exit(1)


def chaos(args):
    seed = args.seed if args.seed is not None else random.randrange(1_000_000)
    print(f"seed {seed}", flush=True)
    pair = choose_pair(args)
    with Lab() as lab:
        lab.up()
        for name in PAIR:
            lab.tandem(name, pair, files=[("tandem.conf", written(pair, args.also))])
        lab.start_pair()
        run = Chaos(lab, pair, seed, args.patience, say=lambda text: print(text, flush=True))
        try:
            run.run(args.minutes * 60, args.first)
        except Broken as error:
            sys.exit(str(error))
        problems = lab.stop_pair()
    print(run.summary())
    for text in run.late + problems:
        print(text)
    if problems:
        sys.exit(1)


def kills(args):
    pair = choose_pair(args)
    with Lab() as lab:
        lab.up()
        for name in PAIR:
            lab.tandem(name, pair)
        lab.start_pair()
        series = Kills()
        series.run(lab, pair, args.times)
        problems = lab.stop_pair()
    bound_ms, gone_bound_ms = FAULTS["killall"].bound_ms(pair), config.LEASE_S * 1000 + 500
    print(f"SIGKILL to everything on the master, {args.times} times, bound {bound_ms:.0f} ms")
    for text in [*series.lines(), *problems]:
        print(text)
    if problems or max(series.away_ms) > bound_ms or max(series.gone_ms) > gone_bound_ms:
        sys.exit(1)


def reloads(args):
    pair = choose_pair(args)
    with Lab() as lab:
        lab.up()
        pair_for(lab, pair)
        series = Reloads(lab, pair, args.rate)
        series.run(args.times)
        problems = series.problems + lab.stop_pair()
    for text in series.text + problems:
        print(text)
    if problems:
        sys.exit(1)


def scale(args):
    """Both in the same lab, one after the other."""
    failed = False
    with Lab() as lab:
        lab.up()
        for one in SCALES.values():
            ours, theirs = (measure(lab, kind, one, args.rounds) for kind in ("tandem", "keepalived"))
            print(line(one, ours, theirs), flush=True)
            for broken in broken_bounds(one, ours, theirs):
                print(f"BROKEN  {one.name}: {broken}", flush=True)
                failed = True
    if failed:
        sys.exit(1)


def interop(args):
    chosen = [cell for cell in cells() if all(word in cell.name for word in args.words)]
    if not chosen:
        sys.exit("No such cell: scripts/lab interop --list")
    if args.list:
        print("\n".join(cell.name for cell in chosen))
        return
    results = []
    for cell in chosen:
        with Lab() as lab:
            lab.up()
            result = run_cell(lab, cell)
        results.append(result)
        print("  ".join(result.columns()), flush=True)
        for problem in result.problems:
            print(f"    {problem}", flush=True)
    print(interop_table(results, args.markdown))
    if any(result.problems for result in results):
        sys.exit(1)


def main():
    parser = argparse.ArgumentParser(prog="scripts/lab", description=__doc__)
    commands = parser.add_subparsers(dest="command_name", required=True)

    def command(name, function, text):
        sub = commands.add_parser(name, help=text)
        sub.set_defaults(function=function)
        return sub

    def vrrp_options(sub):
        sub.add_argument("--vrrp", type=int, choices=(2, 3), default=2, help="VRRP version")
        sub.add_argument("--advert", type=float, default=1.0, help="advert_int in seconds")
        sub.add_argument("--multicast", action="store_true")

    vrrp_options(command("up", up, "build the lab and leave it running"))
    command("down", down, "end everything and remove it")
    sub = command("shell", shell, "a shell (or a command) on a node")
    sub.add_argument("node", choices=sorted(config.ADDRESSES))
    sub.add_argument("command", nargs=argparse.REMAINDER)
    sub = command("status", status, "what both nodes say about themselves")
    sub.add_argument("--json", action="store_true")
    sub = command("fault", fault, "strike lb1 with a fault, measure, heal")
    sub.add_argument("name", help="a name of `fault list`, `all`: the table, `hardships`, or `list`")
    sub.add_argument("--open", type=int, help="connections that lie open meanwhile")
    sub.add_argument("--peer", action="store_true", help="also with keepalived and HAProxy, as in `all`")
    sub.add_argument("--alone", action="store_true", help="`all` without keepalived and HAProxy")
    sub.add_argument("--short", action="store_true", help="fewer repetitions where a row has many")
    sub.add_argument("--markdown", action="store_true", help="print a table at the end")
    vrrp_options(sub)
    sub = command("scale", scale, "250 instances and 1000 addresses, beside keepalived")
    sub.add_argument("--rounds", type=int, default=3)
    sub = command("burn", burn_cpu, "CPU burnt on both nodes: nobody may fail over")
    sub.add_argument("--minutes", type=float, default=10)
    sub = command("chaos", chaos, "random faults on a pair under load, one or two at a time")
    sub.add_argument("--minutes", type=float, default=10)
    sub.add_argument("--seed", type=int, help="of an earlier run: the same faults again")
    sub.add_argument("--first", type=int, default=1, help="the number of the first round")
    sub.add_argument("--patience", type=float, default=1.0, help="factor on waits and bounds")
    sub.add_argument("--also", choices=EXTRAS, action="append", default=[], help="a richer pair")
    vrrp_options(sub)
    sub = command("kills", kills, "SIGKILL to everything on the master, again and again")
    sub.add_argument("--times", type=int, default=50)
    vrrp_options(sub)
    sub = command("reloads", reloads, "reload after reload under load: nothing may fail or be left behind")
    sub.add_argument("--times", type=int, default=100)
    sub.add_argument("--rate", type=int, default=1000, help="requests a second")
    vrrp_options(sub)
    sub = command("interop", interop, "Tandem beside keepalived and FRR: the matrix")
    sub.add_argument("words", nargs="*", help="only cells whose name has all of them")
    sub.add_argument("--list", action="store_true", help="the names of the cells")
    sub.add_argument("--markdown", action="store_true", help="print the matrix as a table")
    args = parser.parse_args()
    end_on_signals()
    sweep_abandoned()
    args.function(args)


if __name__ == "__main__":
    main()

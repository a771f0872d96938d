#!/usr/bin/env python3
"""Golden configurations: what conf-tool says about a file must be what is kept beside it.

    run.py CONF_TOOL ok|broken|corpus [--update]

A case is NAME.conf (one file) or NAME.files: a line of arguments for conf-tool, whose paths are
relative to this folder; "cat A B" makes one file of two first.  NAME.expected holds the canonical
form, then "-- messages --", then the messages; a broken file has messages only.  The canonical form
of a sound file must also be its own canonical form.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "SOCKET": "7", "HOST": "10.0.0.21",
               "TWO": "check backup", "EMPTY": "", "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}

SAMPLES = pathlib.Path("/usr/share/doc/keepalived/samples")
EXAMPLES = pathlib.Path("/usr/share/doc/haproxy/examples")
# Its group lists members without `group { … }`: keepalived does not know these words either.
UNKNOWN_SAMPLES = ("keepalived.conf.vrrp.lvs_syncd",)


def run(tool, arguments, stdin=None):
    """Exit status, stdout and stderr."""
    done = subprocess.run([tool, *arguments], cwd=HERE, env=ENVIRONMENT, input=stdin,
                          capture_output=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def arguments_of(case, scratch):
    if case.suffix == ".conf":
        return [str(case.relative_to(HERE))]
    words = case.read_text().split()
    if "cat" not in words:
        return words
    at = words.index("cat")
    joined = pathlib.Path(scratch) / "joined.conf"
    joined.write_bytes(b"".join((HERE / name).read_bytes() for name in words[at + 1:]))
    return words[:at] + [str(joined)]


def check(tool, case, broken, update):
    """What is wrong with the case, as text; empty if nothing is."""
    with tempfile.TemporaryDirectory() as scratch:
        status, out, err = run(tool, arguments_of(case, scratch))
        err = err.replace(scratch.encode() + b"/", b"")
    if status != (1 if broken else 0):
        return f"exit status {status}\n{err.decode(errors='replace')}"
    got = err if broken else out + b"-- messages --\n" + err
    if not broken:
        # Secrets are printed as <hidden>, which is a value like any other.
        _, again, messages = run(tool, ["-"], stdin=out)
        if again != out:
            return ("the canonical form changes when it is read back:\n" +
                    again.decode(errors="replace") + messages.decode(errors="replace"))
    expected = case.with_suffix(".expected")
    if update:
        expected.write_bytes(got)
    if not expected.exists() or expected.read_bytes() != got:
        return "got:\n" + got.decode(errors="replace")
    return ""


def classes_of(tool, path):
    """What the corpus keeps of a file."""
    status, out, err = run(tool, ["--classes", str(path)])
    errors = sum(b": error: " in line for line in err.splitlines())
    return b"%s\n" % (b"%d errors" % errors if status else b"loads") + out


def check_corpus(tool, update):
    """The files of the corpus and the installed samples: how many, and what is wrong."""
    files = sorted(p for p in (HERE / "corpus").glob("*/*") if p.suffix in (".conf", ".cfg"))
    wrong = []
    for path in files:
        expected = path.with_suffix(".classes")
        got = classes_of(tool, path.relative_to(HERE))
        if update:
            expected.write_bytes(got)
        if not expected.exists() or expected.read_bytes() != got:
            wrong.append(f"{path.relative_to(HERE)}: got:\n{got.decode(errors='replace')}")
    samples = sorted(SAMPLES.glob("keepalived.conf.*"))
    for path in samples:
        got = classes_of(tool, path)
        loads = got.startswith(b"loads")
        unknown = b" unknown " in got and path.name not in UNKNOWN_SAMPLES
        if unknown or not loads:
            wrong.append(f"{path}: got:\n{got.decode(errors='replace')}")
    examples = sorted(EXAMPLES.glob("*.cfg"))
    for path in examples:
        got = classes_of(tool, path)
        if b" unknown " in got:
            wrong.append(f"{path}: got:\n{got.decode(errors='replace')}")
    return len(files) + len(samples) + len(examples), wrong


def main():
    tool, folder = sys.argv[1:3]
    tool = str(pathlib.Path(tool).resolve())
    if folder == "corpus":
        count, wrong = check_corpus(tool, "--update" in sys.argv)
        for text in wrong:
            print(f"--- {text}")
        print(f"{count} files, {len(wrong)} failed")
        return 1 if wrong or not count else 0
    cases = sorted(p for p in (HERE / folder).iterdir() if p.suffix in (".conf", ".files"))
    failed = 0
    for case in cases:
        wrong = check(tool, case, folder == "broken", "--update" in sys.argv)
        if wrong:
            failed += 1
            print(f"--- {folder}/{case.name}: {wrong}")
    print(f"{len(cases)} cases, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What `meson install` puts where, and whether its users understand it.

    run.py SOURCE BUILD PREFIX

Installs into a scratch directory and looks at all of it: the list of files, the manual pages (mandoc,
groff), the unit (systemd-analyze), user and run directory (systemd-sysusers, systemd-tmpfiles), completion
(bash).  A tool that is not installed is named and passed over.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

FILES = """
    sbin/tandem
    lib/systemd/system/tandem.service
    lib/sysusers.d/tandem.conf
    lib/tmpfiles.d/tandem.conf
    share/bash-completion/completions/tandem
    share/zsh/site-functions/_tandem
    share/man/man5/tandem-json.5
    share/man/man5/tandem.conf.5
    share/man/man8/tandem.8
    share/doc/tandem/examples/web-cluster/tandem.conf
""".split()

failures = []


def check(good, text):
    if not good:
        failures.append(text)


def run(*command, **options):
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60, **options)


def has(tool):
    if shutil.which(tool):
        return True
    print(f"{tool} is not installed: passed over")
    return False


def check_files(source, root):
    there = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    examples = {f"share/doc/tandem/examples/{path.relative_to(source / 'conf/examples')}"
                for path in (source / "conf/examples").rglob("*") if path.is_file()}
    check(not set(FILES) - there, f"not installed: {sorted(set(FILES) - there)}")
    check(not examples - there, f"not installed: {sorted(examples - there)}")
    more = there - set(FILES) - examples
    check(not more, f"installed, but not expected: {sorted(more)}")


def check_manual(source, root):
    pages = [root / "share/man/man5/tandem.conf.5", root / "share/man/man8/tandem.8",
             root / "share/man/man5/tandem-json.5"]
    if has("mandoc"):
        lint = run("mandoc", "-Tlint", "-Wwarning", *pages).stdout
        # Pages without a date are the same in every build.
        lint = [line for line in lint.splitlines() if "missing date" not in line]
        check(not lint, "mandoc: " + "\n".join(lint))
    if has("groff"):
        for page in pages:
            done = run("groff", "-ww", "-man", "-Kutf8", "-Tutf8", "-z", page)
            check(done.returncode == 0 and not done.stdout, f"groff {page.name}: {done.stdout}")
    words = pages[0].read_text()
    for place in ("@KEEPALIVED@", "@HAPROXY@", "@HELP@", "@VERSION@"):
        for page in pages:
            check(place not in page.read_text(), f"{page.name}: {place} was not filled in")
    # A table that no row leads to is one that the manual does not know.
    for file in sorted((source / "conf").glob("*.c")):
        for table, name in re.findall(r'^const struct conf_table (\w+) = \{\s*\.name = "([^"]*)"',
                                      file.read_text(), re.M):
            heading = re.sub("`([^`]*)`", r"\\fB\1\\fR", name).replace("'", r"\(aq")
            heading = heading.replace("-", r"\-")
            check(f'In {heading}"' in words or f'After {heading}"' in words,
                  f"{file.name}: the manual does not have {table}: no row's `inside` leads to it")
    help_page = run(root / "sbin/tandem", "--help").stdout
    options = set(re.findall(r"(?m)^    (--?[A-Za-z]+)", help_page))
    page = pages[1].read_text().replace("\\-", "-")
    check(len(options) > 10, "--help shows hardly any option")
    for option in options:
        check(re.search(rf"(?m)^\.TP\n\\fB{re.escape(option)}\b", page), f"tandem(8) has no entry for {option}")


def check_systemd(root, prefix):
    unit = root / "lib/systemd/system/tandem.service"
    check(f"ExecStart={prefix}/sbin/tandem " in unit.read_text(), "the unit starts another program")
    if has("systemd-analyze"):
        # Verified as if it were installed: the program must exist.
        unit.write_text(unit.read_text().replace(f"{prefix}/sbin", str(root / "sbin")))
        done = run("systemd-analyze", "verify", "--man=no", unit)
        check(done.returncode == 0 and "tandem.service" not in done.stdout, f"systemd-analyze: {done.stdout}")
    with tempfile.TemporaryDirectory() as scratch:
        (pathlib.Path(scratch) / "etc").mkdir()
        if has("systemd-sysusers"):
            done = run("systemd-sysusers", f"--root={scratch}", "-", input=(
                root / "lib/sysusers.d/tandem.conf").read_text())
            passwd = pathlib.Path(scratch) / "etc/passwd"
            check(passwd.exists() and re.search(r"(?m)^tandem:.*nologin$", passwd.read_text()),
                  f"systemd-sysusers: {done.stdout}")
        if has("systemd-tmpfiles"):
            done = run("systemd-tmpfiles", "--create", f"--root={scratch}", "-", input=(
                root / "lib/tmpfiles.d/tandem.conf").read_text())
            check((pathlib.Path(scratch) / "run/tandem").is_dir(), f"systemd-tmpfiles: {done.stdout}")


def check_package(source):
    """The package is built with the libraries that the build is said to need."""
    group = re.search(r'\[build\]="([^"]*)"', (source / "scripts/install-deps").read_text())
    needed = {word for word in group[1].split() if word.endswith("-dev")} - {"libc6-dev", "libcmocka-dev"}
    control = (source / "scripts/debian/control").read_text()
    declared = set(re.findall(r"(?m)^ ([a-z0-9.+-]+-dev),$", control))
    check(needed == declared, f"scripts/debian/control builds with {sorted(declared)}, "
                              f"scripts/install-deps with {sorted(needed)}")


def completions(root, *words):
    """What bash offers behind the words, the last of which is being typed."""
    script = (f"source {root}/share/bash-completion/completions/tandem; "
              f"COMP_WORDS=({root}/sbin/tandem \"$@\"); COMP_CWORD=$#; _tandem; "
              "printf '%s\\n' \"${COMPREPLY[@]}\"")
    return run("bash", "-c", script, "bash", *words).stdout.split()


def check_completion(root):
    commands = completions(root, "")
    check({"check", "status", "history"} <= set(commands), f"commands offered: {commands}")
    check(completions(root, "stat") == ["status"], "`stat` is not completed")
    options = completions(root, "-")
    check({"-f", "-c", "-db", "-dump", "--json", "--help"} <= set(options), f"options offered: {options}")
    check(completions(root, "-dum") == ["-dump"], "`-dum` is not completed")
    if has("zsh"):
        done = run("zsh", "-n", root / "share/zsh/site-functions/_tandem")
        check(done.returncode == 0, f"zsh: {done.stdout}")


def main():
    source, build, prefix = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    with tempfile.TemporaryDirectory() as scratch:
        done = run("meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", scratch)
        root = pathlib.Path(scratch + prefix)
        check(done.returncode == 0, f"meson install: {done.stdout}")
        check(root.is_dir(), f"nothing was installed below {prefix}")
        if root.is_dir():
            check_package(source)
            check_files(source, root)
            check_manual(source, root)
            check_systemd(root, prefix)
            check_completion(root)
    for text in failures:
        print(f"--- {text}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Set up and run Osler from a fresh clone, with nothing but Python 3.11 or newer.

    python3 dev.py demo      set up (the first time), then start the service with a sample class
    python3 dev.py test      set up (the first time), then run every test

Set-up makes .venv/, installs the exact, hash-checked packages of the lock and builds the dashboard; what has not
changed since is skipped. `python3 dev.py` lists every recipe.
"""

import contextlib
import hashlib
import itertools
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import webstamp

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
MAKING = ROOT / ".venv.making"  # there while one is being made, so that a torn one is known as ours
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
MIN = (3, 11)
LOCKS = {"run": "requirements.lock", "dev": "requirements-dev.lock"}

# recipe -> (which lock it needs, what becomes of it, one line for the list)
RECIPES = {
    "demo": ("run", ["-m", "osler", "demo"], "run Osler with a sample class and open the dashboard"),
    "test": ("dev", ["tools/suites.py"], "pytest, vitest and the browser tests; arguments go to pytest alone"),
    "setup": ("dev", None, "everything that the others need, and nothing more"),
    "check": ("dev", ["tools/check.py"], "format, lint, types, import contracts, migrations, drift of generated files"),
    "bench": ("dev", ["tools/bench.py"], "measure, each figure as a ratio to something run beside it; --json"),
    "faults": ("dev", ["tools/faults.py"], "the rows of the fault matrix; --full runs the counts of the table"),
    "screenshots": ("dev", ["tools/screenshots.py"], "every page in both themes, phone and desktop"),
    "lock": ("dev", ["tools/lock.py"], "resolve the Python and npm locks again"),
    "npm": ("dev", ["tools/npm.py"], "npm of the pinned Node, inside web/"),
    "web": ("dev", ["tools/npm.py", "run", "dev"], "vite with a proxy to a running Osler, for editing the dashboard"),
    "docs": ("dev", ["tools/generate.py"], "write the generated pages and files again"),
    "clean": (None, None, "remove .venv, node_modules and the built dashboard"),
}


def fail(text):
    raise SystemExit("dev.py: " + text)


def say(text):
    print("dev.py: " + text, file=sys.stderr, flush=True)


def use_new_enough_python():
    if sys.version_info >= MIN:
        return
    for minor in range(15, MIN[1] - 1, -1):
        other = shutil.which("python3.%d" % minor)
        if other:
            become([other, str(Path(__file__).resolve()), *sys.argv[1:]])
    fail("needs Python %d.%d or newer; this is %s" % (MIN[0], MIN[1], sys.version.split()[0]))


def clean_environment():
    """The caller's environment without what would let another Python's packages in."""
    dropped = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_REQUIRE_VIRTUALENV", "PIP_USER", "PIP_TARGET")
    return {name: value for name, value in os.environ.items() if name not in dropped}


def become(command):
    """Replace this process; where that is not possible (Windows), wait and pass the exit status on."""
    command = [str(part) for part in command]
    if os.name == "nt":
        raise SystemExit(subprocess.run(command, env=clean_environment()).returncode)
    os.execve(command[0], command, clean_environment())


def run(what, *command, **more):
    started = time.monotonic()
    say(what)
    env = dict(clean_environment(), **more.pop("env", {}))
    done = subprocess.run([str(part) for part in command], cwd=str(ROOT), env=env, stdout=sys.stderr)
    if done.returncode:
        fail("this failed (exit %d): %s" % (done.returncode, " ".join(map(str, command))))
    say("  done in %.0f s" % (time.monotonic() - started))


@contextlib.contextmanager
def only_one():
    """Two set-ups at once in one clone would tear each other's files; the second waits."""
    with open(str(ROOT / ".lock"), "a+") as handle:
        try:
            import fcntl
        except ImportError:
            yield
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another set-up is running in this clone; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def sha(*parts):
    total = hashlib.sha256()
    for part in parts:
        total.update(part if isinstance(part, bytes) else str(part).encode())
        total.update(b"\0")
    return total.hexdigest()


def packages_stamp(level):
    return sha(sys.version, (ROOT / LOCKS[level]).read_bytes())


def project_stamp():
    files = [ROOT / name for name in ("pyproject.toml", "hatch_build.py", "webstamp.py")]
    return sha(*[p.read_bytes() for p in files], webstamp.digest(ROOT / "web"), os.environ.get("OSLER_SKIP_WEB", ""))


def read(path):
    try:
        return path.read_text()
    except OSError:
        return None


def write_whole(path, text):
    """Written to another name first, so that a set-up cut short never looks whole."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text)
    os.replace(str(temporary), str(path))


def make_venv():
    whole = VENV / ".osler-whole"
    if PYTHON.exists() and read(whole) == sys.version:
        return
    uv = shutil.which("uv")
    if not uv:
        need_ensurepip()
    clear_the_place()
    MAKING.write_text("begun")
    maker = [uv, "venv", "-q", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
    run("making .venv", *maker, VENV)
    write_whole(whole, sys.version)
    MAKING.unlink()


def clear_the_place():
    """Remove a .venv of ours, whole or torn; one that somebody else made is moved aside, and that is said."""
    if not VENV.exists():
        return
    if MAKING.exists() or any(VENV.glob(".osler-*")):
        shutil.rmtree(str(VENV))
        return
    aside = next(place for place in map(ROOT.joinpath, spare_names()) if not place.exists())
    say("there is a .venv that dev.py did not make: moving it to %s (rename it to .venv to have it back)" % aside.name)
    VENV.rename(aside)


def spare_names():
    """`.venv.aside`, `.venv.aside-2` and so on."""
    return itertools.chain([".venv.aside"], (".venv.aside-%d" % n for n in itertools.count(2)))


def need_ensurepip():
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        fail("this Python has no 'ensurepip'. Install it and run this again:\n    sudo apt-get install -y python3-venv")


def install_packages(level):
    stamp = VENV / (".osler-packages-" + level)
    wanted = packages_stamp(level)
    superset = VENV / ".osler-packages-dev"
    if read(stamp) == wanted or (level == "run" and read(superset) == packages_stamp("dev")):
        return
    lock = ROOT / LOCKS[level]
    uv = shutil.which("uv")
    if uv:
        venv = {"VIRTUAL_ENV": str(VENV)}
        run("installing locked packages", uv, "pip", "sync", "-q", "--require-hashes", lock, env=venv)
    else:
        if read(stamp) is not None:  # pip keeps what left the lock: begin anew
            shutil.rmtree(str(VENV))
            make_venv()
        pip = [PYTHON, "-I", "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-input"]
        run("installing locked packages (about a minute the first time)", *pip, "--require-hashes", "-r", lock)
    write_whole(stamp, wanted)


def install_project():
    stamp = VENV / ".osler-project"
    wanted = project_stamp()
    built = (ROOT / "src" / "osler" / "webdist" / ".stamp").is_file() or os.environ.get("OSLER_SKIP_WEB") == "1"
    if read(stamp) == wanted and built:
        return
    uv = shutil.which("uv")
    editable = ["--no-deps", "--no-build-isolation", "-e", str(ROOT)]
    if uv:
        run("building the dashboard", uv, "pip", "install", "-q", *editable, env={"VIRTUAL_ENV": str(VENV)})
    else:
        pip = [PYTHON, "-I", "-m", "pip", "--disable-pip-version-check", "install", "-q"]
        run("building the dashboard", *pip, *editable)
    write_whole(stamp, wanted)


def set_up(level):
    with only_one():
        make_venv()
        install_packages(level)
        install_project()


def clean():
    for path in (VENV, ROOT / "web" / "node_modules", ROOT / "src" / "osler" / "webdist"):
        if path.exists():
            say("removing %s" % path.relative_to(ROOT))
            shutil.rmtree(str(path))


def usage():
    lines = ["python3 dev.py RECIPE [arguments]", ""]
    lines += ["  %-12s %s" % (name, recipe[2]) for name, recipe in RECIPES.items()]
    return "\n".join(lines)


def main():
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return
    name, rest = arguments[0], arguments[1:]
    if name not in RECIPES:
        fail("there is no recipe '%s'.\n\n%s" % (name, usage()))
    use_new_enough_python()
    if name == "clean":
        clean()
        return
    level, command, _ = RECIPES[name]
    set_up(level)
    if command is None:
        say("ready")
        return
    head = [str(ROOT / part) if part.startswith("tools/") else part for part in command]
    become([PYTHON, *head, *rest])


if __name__ == "__main__":
    main()

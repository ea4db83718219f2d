"""Makes `.venv` and installs into it what the named requirement files ask for; quick when nothing changed.

    python3 -P happening/embedded/install.py requirements.txt requirements-embedded.txt ...

Runs before anything is installed, so it uses the standard library alone and imports nothing beside it.
A stamp in `.venv` remembers each file's hash; it is written last, so what was interrupted is done again.
Two at once take turns. Where a server has no wheel for this machine the machine's own will do.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
VENV = CHECKOUT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "installed"
MAY_FAIL = "requirements-embedded.txt"


def main(names: list[str]) -> None:
    turn = os.open(CHECKOUT, os.O_RDONLY)
    fcntl.flock(turn, fcntl.LOCK_EX)
    if not _works(PYTHON):
        _make_venv()
    changed = [name for name in names if not _is_installed(name)]
    if not changed:
        return
    say(f"Installing {', '.join(changed)} into .venv; the first time this takes a minute.")
    firm = [name for name in changed if name != MAY_FAIL]
    if firm and not _pip([f"--requirement={CHECKOUT / name}" for name in firm]):
        sys.exit("The packages could not be installed. The reason stands above; then run this again.")
    if MAY_FAIL in changed:
        _install_each(CHECKOUT / MAY_FAIL)
    STAMPS.mkdir(exist_ok=True)
    for name in changed:
        (STAMPS / name).write_text(_hash(name))


def say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def _is_installed(name: str) -> bool:
    stamp = STAMPS / name
    return stamp.exists() and stamp.read_text() == _hash(name)


def _hash(name: str) -> str:
    return hashlib.sha256((CHECKOUT / name).read_bytes()).hexdigest()


def _works(python: Path) -> bool:
    try:
        return (
            subprocess.run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]).returncode == 0
        )
    except OSError:
        return False


def _make_venv() -> None:
    say("Making .venv")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], capture_output=True, text=True)
    if made.returncode != 0:  # Debian's Python without python3-venv can do all of it but pip
        subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", VENV], check=False)
        if not _works(PYTHON) or not _pip_command():
            sys.exit(
                f"{made.stdout}{made.stderr}\n.venv could not be made. On Debian: apt install python3-venv"
            )


def _pip_command() -> list[str]:
    """The venv's pip, else this Python's working on the venv; empty where there is neither."""
    for command in ([PYTHON, "-m", "pip"], [sys.executable, "-m", "pip", "--python", PYTHON]):
        if subprocess.run([*command, "--version"], capture_output=True).returncode == 0:
            return [str(word) for word in command]
    return []


def _pip(arguments: list[str]) -> bool:
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--root-user-action=ignore"]
    return subprocess.run([*_pip_command(), "install", *quiet, *arguments]).returncode == 0


def _install_each(path: Path) -> None:
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    for requirement in filter(None, lines):
        if not _pip([requirement]):
            say(f"There is no {requirement} for this machine; its own program will do if it has one.")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Where only the tracking library is installed, `osler` says what is missing instead of a traceback."""

from __future__ import annotations

import subprocess
import sys

WITHOUT_TYPER = "import sys; sys.modules['typer'] = None; from osler.__main__ import run; run()"


def test_without_the_server_a_sentence_names_what_to_install() -> None:
    ran = subprocess.run([sys.executable, "-c", WITHOUT_TYPER], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == ("osler: this is the tracking library alone; the commands need pip install 'osler[server]'\n")


def test_as_a_module_it_is_the_command() -> None:
    ran = subprocess.run([sys.executable, "-m", "osler", "--version"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0
    assert ran.stdout.startswith("osler ")

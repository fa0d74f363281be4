"""`python -m osler` is the command `osler`."""

from osler.cli.main import run

run()

"""What may be printed of a text that somebody else wrote: a file's name, a damaged file's complaint."""

from __future__ import annotations

from osler.catalog.curriculum import is_unseen


def shown(text: str) -> str:
    r"""The text with every sign spelt out that steers a terminal or turns the direction of reading; lines stay lines.

    >>> shown("a\x1b[2Jb")
    'a\\u001b[2Jb'
    """
    return "".join(f"\\u{ord(sign):04x}" if is_unseen(sign) and sign != "\n" else sign for sign in text)

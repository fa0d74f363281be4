"""The event log: append, read, marks, checkpoints. The only package that touches the event tables."""

from osler.eventlog import marks
from osler.eventlog.append import append
from osler.eventlog.entries import Appended, Batch, Entry, Rows
from osler.eventlog.reading import read_after, replay

__all__ = ["Appended", "Batch", "Entry", "Rows", "append", "marks", "read_after", "replay"]

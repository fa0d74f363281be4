"""Reads the wire times and the ids of a whole batch as arrays; what is written unevenly is read one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from osler.domain.clock_rules import MINUTE_US, SECOND_US, parse_instant, zone_offset_minutes

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

_ID_LENGTH = 36
_HYPHENS = (8, 13, 18, 23)
_VERSION_AT, _VARIANT_AT = 14, 19
_IS_HEX = np.zeros(256, dtype=np.bool_)
_IS_HEX[list(b"0123456789abcdef")] = True
_IS_VARIANT = np.zeros(256, dtype=np.bool_)
_IS_VARIANT[list(b"89ab")] = True
_HEX_AT = [n for n in range(_ID_LENGTH) if n not in _HYPHENS]
_TO_SECOND, _TO_FRACTION, _TO_ZONE = 17, 20, 23
"""Where seconds, milliseconds and the zone begin in `2026-11-22T07:28:11.004+05:30`."""
_DIGITS_AT = [17, 18, 20, 21, 22]


def are_uuid7(ids: Sequence[str]) -> bool:
    """Whether every text is a canonical UUIDv7 in lower case."""
    cells = _cells(ids)
    return (
        cells is not None
        and cells.shape[1] == _ID_LENGTH
        and bool((cells[:, _HYPHENS] == ord("-")).all())
        and bool(_IS_HEX[cells[:, _HEX_AT]].all())
        and bool((cells[:, _VERSION_AT] == ord("7")).all())
        and bool(_IS_VARIANT[cells[:, _VARIANT_AT]].all())
    )


def milliseconds_of(ids: Sequence[str]) -> Ints:
    """Milliseconds since 1970 in the first 48 bits of canonical UUIDv7 texts."""
    packed = bytes.fromhex("".join(ids).replace("-", ""))
    return (np.frombuffer(packed, dtype=">u8")[::2] >> np.uint64(16)).astype(np.int64)


def read_instants(raws: Sequence[str]) -> tuple[Ints, list[int | None]]:
    """Microseconds since 1970 and offsets in minutes of wire times, as `parse_instant` reads each.

    Errors: EventProblem as `parse_instant`, of any of them.
    """
    cells = _cells(raws)
    if cells is not None and _are_even(cells):
        digits = cells[:, _DIGITS_AT].astype(np.int64) - ord("0")
        seconds = digits[:, 0] * 10 + digits[:, 1]
        if int(seconds.max()) < 60:  # a leap second is read alone
            thousandths = digits[:, 2] * 100 + digits[:, 3] * 10 + digits[:, 4]
            starts, offsets = _minutes(cells, raws)
            return starts + seconds * SECOND_US + thousandths * 1000, offsets
    read = [parse_instant(raw) for raw in raws]
    return np.array([each.us for each in read], dtype=np.int64), [each.offset_minutes for each in read]


def _cells(texts: Sequence[str]) -> Bytes | None:
    """The characters of ASCII texts of one length, a row each; None when they have several."""
    joined = "".join(texts)
    if len(set(map(len, texts))) != 1 or not joined.isascii() or not joined:
        return None
    return np.frombuffer(joined.encode(), dtype=np.uint8).reshape(len(texts), -1)


def _are_even(cells: Bytes) -> bool:
    """Whether all are written to the millisecond and with the same zone."""
    if cells.shape[1] <= _TO_ZONE:
        return False
    digits = cells[:, _DIGITS_AT]
    return (
        int(cells[0, _TO_ZONE]) in b"Z+-"
        and bool((cells[:, _TO_ZONE:] == cells[0, _TO_ZONE:]).all())
        and bool((cells[:, _TO_SECOND - 1] == ord(":")).all())
        and bool((cells[:, _TO_FRACTION - 1] == ord(".")).all())
        and bool(((digits >= ord("0")) & (digits <= ord("9"))).all())
    )


def _minutes(cells: Bytes, raws: Sequence[str]) -> tuple[Ints, list[int | None]]:
    """Where each one's minute begins, and its offset: read once for every run of the same minute."""
    minute = cells[:, : _TO_SECOND - 1]
    begins = np.ones(len(raws), dtype=np.bool_)
    begins[1:] = (minute[1:] != minute[:-1]).any(axis=1)
    zone = raws[0][_TO_ZONE:]
    read = [parse_instant(f"{raws[n][: _TO_SECOND - 1]}:00{zone}") for n in np.flatnonzero(begins).tolist()]
    run = np.cumsum(begins) - 1
    return np.array([each.us for each in read], dtype=np.int64)[run], [read[0].offset_minutes] * len(raws)


def zone_offsets(zones: Sequence[str], us: Ints) -> Ints:
    """Minutes east of UTC that zones keep at instants: asked once for each minute where the zone is the same."""
    if len(set(zones)) == 1:
        minutes, place = np.unique(us // MINUTE_US, return_inverse=True)
        offsets = [zone_offset_minutes(zones[0], minute * MINUTE_US) for minute in minutes.tolist()]
        return np.array(offsets, dtype=np.int64)[place]
    each = [zone_offset_minutes(zone, instant) for zone, instant in zip(zones, us.tolist(), strict=True)]
    return np.array(each, dtype=np.int64)

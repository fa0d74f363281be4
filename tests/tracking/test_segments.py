"""Records in a file: what was written is read, and damage ends a segment without taking what came before."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.tracking import segments

TEXT = st.text(max_size=20)


def _packed(*bodies: bytes) -> list[bytes]:
    return [segments.pack("note_taken", f"user-{n}", body) for n, body in enumerate(bodies)]


@given(st.lists(st.tuples(TEXT, TEXT, st.binary(max_size=300)), max_size=20))
def test_what_is_packed_is_read_again(tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, str, bytes]]):
    path = tmp_path_factory.mktemp("s") / "1.seg"
    path.write_bytes(b"".join(segments.pack(*line) for line in lines))
    read = list(segments.read_from(path, 0, 7))
    assert [(r.event_type, r.user_id, r.body) for r in read] == lines
    assert segments.torn_bytes(path) == 0
    for n, record in enumerate(read):
        assert [r.body for r in segments.read_from(path, record.end)] == [line[2] for line in lines[n + 1 :]]


@pytest.mark.parametrize("kept", range(1, 40, 3))
def test_a_torn_end_ends_the_segment_before_it(tmp_path: Path, kept: int):
    first, second = _packed(b"one", b"two" * 10)
    path = tmp_path / "1.seg"
    path.write_bytes(first + second[:kept])
    assert [r.body for r in segments.read_from(path, 0)] == [b"one"]
    assert segments.torn_bytes(path) == kept


@pytest.mark.parametrize("place", [0, 3, 4, 9, -1])
def test_a_flipped_byte_is_never_an_event(tmp_path: Path, place: int):
    first, second, third = _packed(b"one", b"two", b"three")
    flipped = bytearray(second)
    flipped[place] ^= 0xFF
    path = tmp_path / "1.seg"
    path.write_bytes(first + bytes(flipped) + third)
    assert [r.body for r in segments.read_from(path, 0)] == [b"one"]


def test_rewriting_takes_out_whole_types_and_keeps_the_age(tmp_path: Path):
    import os

    path = tmp_path / "1.seg"
    path.write_bytes(
        b"".join(segments.pack(kind, "u", kind.encode()) for kind in ("note_taken", "api_request", "note_taken"))
    )
    os.utime(path, (1_000, 1_000))
    assert segments.rewrite_without(path, ["api_request"]) == ["api_request"]
    assert [r.body for r in segments.read_from(path, 0)] == [b"note_taken"] * 2
    assert path.stat().st_mtime == 1_000
    assert segments.rewrite_without(path, ["api_request"]) == []


def test_a_rewrite_that_fails_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "there" / "1.seg"
    with pytest.raises(OSError, match="No such file"):
        segments.write_whole(path, b"x")
    assert not path.exists()

"""Ids: the time inside them, and the same one for the same source row on any machine."""

from __future__ import annotations

from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.domain.identity import deterministic_id, event_id_text, is_uuid7, new_event_id, uuid7_ms

MS = st.integers(0, 2**48 - 1)


@given(MS)
def test_a_new_id_carries_its_time(ms):
    made = new_event_id(ms)
    assert (uuid7_ms(made), is_uuid7(made), made.variant) == (ms, True, RFC_4122)


@given(MS, st.binary(min_size=10, max_size=10))
def test_an_id_made_as_text_is_one_and_has_74_bits_of_the_chance(ms, chance):
    made = UUID(event_id_text(ms, chance))
    assert str(made) == event_id_text(ms, chance)
    assert (uuid7_ms(made), is_uuid7(made), made.variant) == (ms, True, RFC_4122)
    bits = int.from_bytes(chance, "big")
    assert made.int >> 64 & 0xFFF == bits >> 68
    assert made.int & (1 << 60) - 1 == bits >> 4 & (1 << 60) - 1
    assert made.int >> 60 & 0b11 == bits >> 64 & 0b11


@given(st.text(), MS)
def test_a_source_row_has_one_id(source, ms):
    made = deterministic_id("anki", source, ms)
    assert made == deterministic_id("anki", source, ms)
    assert is_uuid7(made)
    assert uuid7_ms(made) == ms
    assert made != deterministic_id("csv", source, ms)


def test_the_bits_are_those_of_the_definition():
    """74 bits of SHA-256("anki", newline, "1:2"): twelve before the variant, sixty-two after it."""
    import hashlib

    digest = bin(int.from_bytes(hashlib.sha256(b"anki\n1:2").digest(), "big"))[2:].zfill(256)[:74]
    made = bin(deterministic_id("anki", "1:2", 1_795_312_691_004).int)[2:].zfill(128)
    assert made[:48] == bin(1_795_312_691_004)[2:].zfill(48)
    assert (made[48:52], made[64:66]) == ("0111", "10")
    assert made[52:64] + made[66:] == digest


def test_a_time_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="UUIDv7"):
        deterministic_id("anki", "1", 1 << 48)

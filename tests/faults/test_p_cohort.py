"""P08: what somebody learns who asks for small groups, extremes, complements of totals and ranks among few."""

from __future__ import annotations

import random

import pytest
from tests.support.matrix import count

from osler.analytics.cohort.model import Peer, percentile_band
from osler.science.disclosure import Gate, complementary, differencing_safe, publish_mean, publish_share

pytestmark = pytest.mark.fault

GATE = Gate(b"a key of the tests")
GROUPS = count("P08", "groups")


def group(chance: random.Random, size: int) -> dict[str, float]:
    return {f"p{chance.getrandbits(64):x}": chance.random() for _ in range(size)}


def test_p08_under_ten_every_figure_is_silent_whatever_the_values() -> None:
    chance = random.Random(8)
    for _ in range(GROUPS):
        few = group(chance, chance.randrange(10))
        for told in (publish_mean(GATE, few, "m"), publish_share(GATE, {p: v > 0.5 for p, v in few.items()}, "s")):
            assert (told.value, told.n, told.suppressed) == (None, None, "minimum")


def test_p08_nobody_and_everybody_look_alike_at_the_ends() -> None:
    chance = random.Random(9)
    for _ in range(GROUPS):
        members = group(chance, chance.randrange(10, 200))
        for share in (False, True):
            told = publish_share(GATE, dict.fromkeys(members, share), "s")
            assert told.value is not None
            assert 0.05 <= told.value <= 0.95, "0 % and 100 % would tell of each single member"
            assert told.n is not None
            assert told.n % 5 == 0


def test_p08_one_member_more_or_less_cannot_be_told_from_counts() -> None:
    chance, told_apart = random.Random(10), 0
    for _ in range(GROUPS):
        holds = {p: v > 0.5 for p, v in group(chance, chance.randrange(20, 60)).items()}
        target = next(iter(holds))
        with_it = publish_share(GATE, {**holds, target: True}, "s")
        without = publish_share(GATE, {**holds, target: False}, "s")
        # the members are the same, so is the noise; what differs must drown in the steps
        told_apart += (with_it.value, with_it.n) != (without.value, without.n)
    assert told_apart < GROUPS * 0.3


def test_p08_a_hidden_cell_is_not_the_total_less_the_shown_ones() -> None:
    chance = random.Random(11)
    for _ in range(GROUPS):
        cells = {
            f"c{n}": list(group(chance, chance.choice((0, 3, 9, 10, 12, 40)))) for n in range(chance.randrange(2, 6))
        }
        hidden = {name for name, members in cells.items() if len(members) < GATE.minimum}
        gone = {name for name in hidden if cells[name]} | complementary(GATE, cells, hidden)
        together = sum(len(cells[name]) for name in gone)
        shown = [name for name in cells if name not in gone and cells[name]]
        assert not gone or not shown or (len(gone) >= 2 and together >= GATE.minimum)


def test_p08_a_group_that_differs_by_few_from_a_published_one_is_refused() -> None:
    chance = random.Random(12)
    for _ in range(GROUPS):
        whole = list(group(chance, 40))
        missing = chance.randrange(1, 15)
        assert differencing_safe(GATE, whole[missing:], [whole]) is (missing >= GATE.minimum)


def test_p08_there_is_no_rank_among_ten() -> None:
    def peer(n: int) -> Peer:
        return Peer(f"p{n}", "exam", "", 10.0, 1, 300, n / 100, max(0, n - 1) / 100, (n + 1) / 100)

    assert percentile_band(peer(50), [peer(n) for n in range(40, 50)]) is None
    assert percentile_band(peer(50), [peer(n) for n in range(40, 59)]) is None
    band = percentile_band(peer(50), [peer(n) for n in range(30, 55)])
    assert band is not None
    assert band.high - band.low >= 0.04, "a band, never a place"

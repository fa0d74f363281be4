import pytest

from osler.errors import InvalidModelInput
from osler.science import ratings
from osler.science.ratings import AnkiUse, Scale


def test_quality_and_rating_map_both_ways():
    assert [ratings.rating_of_quality(q) for q in range(6)] == [1, 1, 1, 2, 3, 4]
    assert [ratings.quality_of_rating(g) for g in (1, 2, 3, 4)] == [1, 3, 4, 5]
    assert all(ratings.rating_of_quality(ratings.quality_of_rating(g)) == g for g in (1, 2, 3, 4))


def test_each_scale_reads_the_same_number_its_own_way():
    assert [ratings.rating_of(g, Scale.SUPERMEMO) for g in range(6)] == [1, 1, 1, 2, 3, 4]
    assert [ratings.rating_of(g, Scale.ANKI) for g in range(1, 5)] == [1, 2, 3, 4]
    assert ratings.rating_of(2, Scale.SUPERMEMO) != ratings.rating_of(2, Scale.RATING)


def test_codes_and_manual_entries_are_no_grades():
    assert ratings.rating_of(7, Scale.SUPERMEMO) is None
    assert ratings.rating_of(0, Scale.ANKI) is None


@pytest.mark.parametrize(
    ("grade", "scale"),
    [(0, Scale.RATING), (5, Scale.RATING), (5, Scale.ANKI), (6, Scale.QUALITY), (-1, Scale.SUPERMEMO)],
)
def test_a_number_that_the_scale_does_not_have_is_refused(grade, scale):
    with pytest.raises(InvalidModelInput):
        ratings.rating_of(grade, scale)


@pytest.mark.parametrize(
    ("answer", "quality"),
    [
        ({"correct": False}, 1),
        ({"correct": False, "is_blank": True}, 0),
        ({"correct": False, "changed_from_right": True}, 2),
        ({"correct": True}, 4),
        ({"correct": True, "confidence": 1}, 3),
        ({"correct": True, "seconds": 61.0, "median_seconds": 30.0}, 3),
        ({"correct": True, "seconds": 60.0, "median_seconds": 30.0}, 4),
        ({"correct": True, "confidence": 5, "seconds": 20.0, "median_seconds": 30.0}, 5),
        ({"correct": True, "confidence": 5, "seconds": 40.0, "median_seconds": 30.0}, 4),
        ({"correct": True, "confidence": 5}, 4),
        ({"correct": True, "seconds": 500.0}, 4),
    ],
)
def test_a_choice_is_worth_a_quality(answer, quality):
    assert ratings.question_quality(**answer) == quality


@pytest.mark.parametrize(
    ("entry_type", "ease", "factor", "use"),
    [
        (0, 3, 0, AnkiUse.REVIEW),
        (1, 1, 2500, AnkiUse.REVIEW),
        (2, 3, 2300, AnkiUse.REVIEW),
        (3, 3, 2500, AnkiUse.REVIEW),
        (3, 3, 0, AnkiUse.CRAM),
        (4, 0, 0, AnkiUse.RESET),
        (4, 0, 2500, AnkiUse.NONE),
        (4, 3, 2500, AnkiUse.NONE),
        (5, 0, 2500, AnkiUse.NONE),
        (1, 0, 2500, AnkiUse.NONE),
    ],
)
def test_rows_of_an_anki_log_are_reviews_crams_resets_or_nothing(entry_type, ease, factor, use):
    assert ratings.anki_use(entry_type=entry_type, ease=ease, factor_permille=factor) is use


def test_an_unknown_anki_type_is_refused():
    with pytest.raises(InvalidModelInput):
        ratings.anki_use(entry_type=6, ease=3, factor_permille=0)


def test_anki_intervals_are_days_above_zero_and_seconds_below():
    assert ratings.anki_interval_seconds(3) == 259_200
    assert ratings.anki_interval_seconds(-600) == 600


def test_a_review_costs_at_most_two_minutes():
    assert ratings.review_cost_seconds(300) == 120
    assert ratings.review_cost_seconds(7.5) == 7.5

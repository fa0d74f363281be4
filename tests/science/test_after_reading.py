"""Which answers tell of what was read."""

from __future__ import annotations

from osler.science.after_reading import Reading, first_later_answers


def read(material, day, topic="heart", *, order=0.0):
    return Reading(material, day, order, "text", noted=False, topics=(topic,))


def test_the_last_reading_of_the_topic_is_told_of_by_each_items_first_answer():
    readings = [read("m1", 10), read("m2", 12, order=1.0), read("m3", 12, "lung", order=2.0)]
    days = [10, 11, 12, 13, 13, 14, 27]
    items = ["q1", "q1", "q2", "q1", "q2", "q1", "q9"]
    found = first_later_answers(readings, days, items, [("heart",)] * 7).tolist()
    assert found == [-1, 0, 0, 1, 1, -1, -1]


def test_of_two_topics_the_reading_that_is_nearer_counts():
    readings = [read("m1", 10), read("m3", 12, "lung")]
    assert first_later_answers(readings, [13, 13], ["q1", "q2"], [("heart", "lung"), ()]).tolist() == [1, -1]


def test_fourteen_days_and_no_more():
    found = first_later_answers([read("m1", 10)], [24, 25], ["q1", "q2"], [("heart",)] * 2)
    assert found.tolist() == [0, -1]

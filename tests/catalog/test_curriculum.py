"""The shipped curriculum holds what it promises, and a wrong file is refused with every fault named."""

from __future__ import annotations

import math

import pytest

from osler.catalog.curriculum import parse_curriculum
from osler.catalog.curriculum_store import read_shipped, shipped_names
from osler.errors import NotFound, UnreadableSource

SMALL = b"""
format = "osler-curriculum/1"
id = "small"
name = "Small"
version = "1"
source = "ours"
[axes.system]
heart = "Heart"
"heart.valves" = "Valves"
"heart.rhythm" = "Rhythm"
lung = "Lung"
[[prerequisite]]
needs = "heart.rhythm"
for = "heart.valves"
reason = "for the test"
[[exam]]
id = "e"
name = "E"
question_count = 10
source = "ours"
[[exam.section]]
id = "heart"
range = [0.2, 0.4]
topics = ["heart"]
[[exam.section]]
id = "lung"
range = [0.1, 0.1]
topics = ["lung"]
"""


def test_the_shipped_curriculum_has_the_size_axes_and_blueprint_that_the_docs_promise() -> None:
    curriculum = parse_curriculum(read_shipped("usmle"))
    assert len(curriculum.topics) >= 250
    assert {t.axis for t in curriculum.topics} == {"system", "discipline", "task"}
    exam = curriculum.exams[0]
    assert math.isclose(sum(row.exam_share for row in exam.blueprint), 1, abs_tol=1e-12)
    assert len({row.section for row in exam.blueprint}) == 11
    assert all(row.provenance == "derived" for row in exam.blueprint)
    assert all(edge.reason for edge in curriculum.edges)
    leaves = {row.topic_id for row in exam.blueprint}
    assert all(t.weight is not None for t in curriculum.topics if t.topic_id in leaves)
    assert max(t.weight or 0 for t in curriculum.topics) == 10


TAGGED = (
    SMALL
    + b"""
[tags]
"heart.valves" = ["valves", "Heart_Murmurs"]
heart = ["cardiology"]
[general_tags]
lung = ["pathology"]
"""
)


def test_rules_for_tags_come_with_the_curriculum_in_plain_words() -> None:
    rules = parse_curriculum(TAGGED).tag_rules
    assert {(rule.words, rule.topic_id, rule.is_general) for rule in rules} == {
        ("valves", "heart.valves", False),
        ("heart murmurs", "heart.valves", False),
        ("cardiology", "heart", False),
        ("pathology", "lung", True),
    }
    assert parse_curriculum(SMALL).tag_rules == ()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (b'[tags]\n"heart.nowhere" = ["x"]', "[tags] names the topic 'heart.nowhere', which is not in the tree"),
        (b'[tags]\nheart = ["cardio", "!!! --"]', "[tags] 'heart', entry 2 holds no word"),
        (
            b'[tags]\nheart = ["x"]\nlung = ["y", "X"]',
            "[tags] 'lung', entry 2 is 'x', which stands for 'heart' already",
        ),
        (b'[tags]\nheart = ["x"]\n[general_tags]\nlung = ["x"]', "[general_tags] 'lung', entry 1 is 'x'"),
        (b'[tags]\nheart = ["a b c d e f g h i j k l m"]', "[tags] 'heart', entry 1 has more than 12 words"),
        (b'[tags]\nheart = "cardio"', "$.tags"),
        (b"[tags]\nheart = [3]", "$.tags"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_table_topic_and_entry(table: bytes, said: str) -> None:
    with pytest.raises(UnreadableSource) as refused:
        parse_curriculum(SMALL + table)
    assert said in refused.value.text


def test_a_sections_midpoint_is_scaled_and_spread_over_its_leaves() -> None:
    rows = {row.topic_id: row for row in parse_curriculum(SMALL).exams[0].blueprint}
    assert rows["heart.valves"].exam_share == pytest.approx(0.3 / 0.4 / 2)
    assert rows["lung"].exam_share == pytest.approx(0.1 / 0.4)
    assert rows["lung"].provenance == "published"
    assert {row.section for row in rows.values()} == {"Heart", "Lung"}
    assert (rows["heart.rhythm"].share_low, rows["heart.rhythm"].share_high) == (0.2, 0.4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            (b'for = "heart.valves"', b'for = "heart.mitral"'),
            "names the topic 'heart.mitral', which is not in the tree",
        ),
        ((b'"heart.valves" = "Valves"', b'"hart.valves" = "Valves"'), "topic 'hart.valves' has no parent 'hart'"),
        ((b"range = [0.2, 0.4]", b"range = [0.4, 0.2]"), "has the range 0.4 to 0.2"),
        ((b'topics = ["lung"]', b'topics = ["heart"]'), "topic 'heart' stands in two sections"),
        ((b'reason = "for the test"', b'reason = "r"\nstrength = 0.0'), "it must lie in (0, 1]"),
        ((b"osler-curriculum/1", b"osler-curriculum/9"), "reads 'osler-curriculum/1'"),
        ((b'name = "Small"', b'name = "Small"\ncolour = "red"'), "colour"),
        ((b"[axes.system]", b"[axes.system"), "no curriculum file"),
    ],
)
def test_a_wrong_file_is_refused_in_words(change: tuple[bytes, bytes], said: str) -> None:
    assert change[0] in SMALL
    with pytest.raises(UnreadableSource) as caught:
        parse_curriculum(SMALL.replace(*change))
    assert said in caught.value.text


@pytest.mark.parametrize(
    "name",
    [
        "a\\nb",
        "a\\u0000",
        "\\u001b[31mred",
        "\\u202etxt.exe",
        "a\\u2066b",
        "a\\u200fb",
        "\\u0085",
        "\\u2028",
        " ",
        "a" * 201,
    ],
)
@pytest.mark.parametrize("place", [b'"Small"', b'"Heart"'])
def test_h12_a_name_that_poses_as_another_or_breaks_a_line_is_refused(name: str, place: bytes) -> None:
    assert SMALL.count(place) >= 1
    with pytest.raises(UnreadableSource) as caught:
        parse_curriculum(SMALL.replace(place, f'"{name}"'.encode()))
    assert "cannot be seen" in caught.value.text or "needs a name of 1 to 200" in caught.value.text
    assert not set(caught.value.text) & {"\0", "\x1b", "\u202e"}


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "=1+1", "\u0623\u0645\u0631\u0627\u0636", "C\u0301", "\U0001fac0", "a" * 200]
)
def test_h12_any_script_and_any_sign_may_stand_in_a_name(name: str) -> None:
    assert name in {topic.name for topic in parse_curriculum(SMALL.replace(b'"Heart"', f'"{name}"'.encode())).topics}


def test_prerequisites_that_go_round_are_refused_with_the_circle() -> None:
    back = b'[[prerequisite]]\nneeds = "heart.valves"\nfor = "heart.rhythm"\nreason = "back"\n[[exam]]'
    with pytest.raises(UnreadableSource, match="go round in a circle: heart"):
        parse_curriculum(SMALL.replace(b"[[exam]]", back, 1))


def test_all_faults_are_told_at_once() -> None:
    broken = SMALL.replace(b'for = "heart.valves"', b'for = "x"').replace(b'topics = ["lung"]', b'topics = ["y"]')
    with pytest.raises(UnreadableSource) as caught:
        parse_curriculum(broken)
    assert "'x'" in caught.value.text
    assert "'y'" in caught.value.text


def test_an_unknown_shipped_name_lists_what_there_is() -> None:
    assert shipped_names() == ["usmle"]
    with pytest.raises(NotFound, match="there are: usmle"):
        read_shipped("usmlee")

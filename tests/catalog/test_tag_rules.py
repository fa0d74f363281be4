"""Tags find their topics: on examples, and on the whole tag tree of a widely used deck."""

from __future__ import annotations

from pathlib import Path

import pytest
import zstandard

from osler.catalog.curriculum import parse_curriculum
from osler.catalog.curriculum_store import read_shipped
from osler.catalog.tag_rules import MOST_TOPICS, TagRule, TopicRules, words_of


@pytest.fixture(scope="module")
def rules() -> TopicRules:
    return TopicRules(parse_curriculum(read_shipped("usmle")).tag_rules)


@pytest.mark.parametrize(
    ("path", "topic"),
    [
        ("#A::#FirstAid::16_Respiratory::04_Pathology::03_Asthma", "respiratory.asthma"),
        ("#A::#FirstAid::09_Gastrointestinal::04_Pathology", "gastrointestinal"),
        ("Step 1\x1fRenal\x1fDiuretics", "renal.diuretics"),
        ("^Systems::Neuro::CerebralCortex", "nervous.cerebrum"),
        ("Pharm", "multisystem"),
        ("leech", None),
        ("", None),
    ],
)
def test_a_path_is_read_from_its_end_and_a_named_system_beats_a_general_word(
    rules: TopicRules, path: str, topic: str | None
) -> None:
    assert rules.topic_of(path) == topic


def test_a_card_has_at_most_five_topics_and_no_system_beside_its_own_leaf(rules: TopicRules) -> None:
    tags = ["Cardiology", "Cardiology::Shock", "Asthma", "Gout", "Stroke", "UTI", "Lupus", "DKA"]
    topics = rules.topics_of(tags)
    assert len(topics) == MOST_TOPICS
    assert "cardiovascular" not in topics
    assert list(topics) == sorted(topics)


def test_words_of_any_script_are_words() -> None:
    rules = TopicRules([TagRule(words_of("Herzgeräusche"), "heart"), TagRule(words_of("心不全"), "heart.failure")])
    assert rules.topic_of("Innere::HERZGERÄUSCHE") == "heart"
    assert rules.topic_of("循環器::心不全") == "heart.failure"


def test_a_topic_gives_way_to_what_lies_below_it_at_any_depth() -> None:
    rules = TopicRules([TagRule("a", "x"), TagRule("b", "x.y"), TagRule("c", "x.y.z"), TagRule("d", "v")])
    assert rules.topics_of(["a", "b", "c", "d"]) == ("v", "x.y.z")


def test_words_are_plain(rules: TopicRules) -> None:
    assert words_of("02_Autosomal_Trisomies (21)") == "autosomal trisomies 21"
    assert rules.topic_of("AUTOSOMAL_trisomies") == "multisystem.genetics"


def test_every_rule_names_a_topic_of_the_shipped_curriculum(rules: TopicRules) -> None:
    known = {topic.topic_id for topic in parse_curriculum(read_shipped("usmle")).topics}
    assert {rule.topic_id for rule in rules._rules.values()} <= known  # pyright: ignore[reportPrivateUsage]


def test_the_tag_tree_of_a_widely_used_deck_is_mapped(rules: TopicRules, shared_data: Path) -> None:
    text = zstandard.decompress((shared_data / "anking_v11_tags.txt.zst").read_bytes()).decode()
    # Tags that are a question bank's numbers carry no subject; nobody could map them.
    tags = [tag for tag in text.splitlines() if tag and "UWorld" not in tag and "#NBME" not in tag]
    mapped = [rules.topic_of(tag) for tag in tags]
    assert len(tags) > 13_000
    assert sum(topic is not None for topic in mapped) / len(tags) > 0.95
    assert sum("." in (topic or "") for topic in mapped) / len(tags) > 0.75

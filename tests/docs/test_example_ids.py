"""Every id that an example of OpenAPI names is there in a demo: a topic or exam as shipped, an item of its bank."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.docs.conftest import ROOT

from osler.catalog.curriculum import Curriculum, parse_curriculum
from osler.catalog.curriculum_store import SHIPPED, read_shipped
from osler.simulate.bank import make_bank
from osler.simulate.sample_class import COHORT_PREFIX

BROUGHT_IN = frozenset({"QuestionIn", "MaterialIn", "/api/questions", "/api/materials"})
"""What is added by the request itself: the demo's own would be overwritten by whoever tries the example."""

TOPIC_FIELDS = frozenset({"topic_id", "topic_ids", "from_topic_id", "to_topic_id", "parent_id", "children", "chain"})
ITEM_FIELDS = frozenset({"question_id", "material_id", "item_id", "recommended_materials", "context_id", "target_id"})

Example = tuple[str, str, str]
"""Where it stands (a schema, or a path with the place in a body), the field, the value."""


@pytest.fixture(scope="module")
def curriculum() -> Curriculum:
    return parse_curriculum(read_shipped(SHIPPED))


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    document = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text(encoding="utf-8"))
    return [*_of_schemas(document["components"]["schemas"]), *_of_paths(document["paths"])]


def _of_schemas(schemas: dict[str, Any]) -> Iterator[Example]:
    for name, schema in schemas.items():
        for field, said in schema.get("properties", {}).items():
            for value in _texts(_examples_of(said)):
                yield name, field, value


def _of_paths(paths: dict[str, Any]) -> Iterator[Example]:
    for path, operations in paths.items():
        for operation in operations.values():
            for each in operation.get("parameters", []):
                field = "conversation_id" if path.startswith("/api/coach/") else each["name"]
                for value in _texts([*_examples_of(each), *_examples_of(each.get("schema", {}))]):
                    yield path, field, value
            bodies = [operation.get("requestBody", {}), *operation.get("responses", {}).values()]
            for n, content in enumerate(kind for body in bodies for kind in body.get("content", {}).values()):
                yield from _fields(content.get("example"), "", f"{path} {n}")


def _examples_of(said: dict[str, Any]) -> list[Any]:
    return [*said.get("examples", []), *([said["example"]] if "example" in said else [])]


def _texts(found: Any) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, list):
        for each in found:
            yield from _texts(each)


def _fields(found: Any, name: str, where: str) -> Iterator[Example]:
    """The texts of an example; each object of it is a place of its own."""
    if isinstance(found, dict):
        for key, value in found.items():
            yield from _fields(value, key, f"{where}/{key}" if isinstance(value, dict | list) else where)
    elif isinstance(found, list):
        for n, each in enumerate(found):
            yield from _fields(each, name, f"{where}/{n}" if isinstance(each, dict) else where)
    elif isinstance(found, str):
        yield where, name, found


def _at(example: Example) -> str:
    """The schema, or the path without the place in a body."""
    return example[0].partition(" ")[0]


def test_topics_of_examples_are_topics_of_the_shipped_curriculum(
    curriculum: Curriculum, examples: list[Example]
) -> None:
    topics = {topic.topic_id for topic in curriculum.topics}
    roots = {topic_id for topic_id in topics if "." not in topic_id}
    named = [each for each in examples if each[1] in TOPIC_FIELDS or each[2].partition(".")[0] in roots]
    assert len(named) > 20
    assert [each for each in named if each[2] not in topics] == []


def test_exams_and_sections_of_examples_are_shipped(curriculum: Curriculum, examples: list[Example]) -> None:
    exams = {exam.exam_id for exam in curriculum.exams}
    sections = {row.section for exam in curriculum.exams for row in exam.blueprint}
    named = [each for each in examples if each[1] in {"exam_id", "section"}]
    assert len(named) > 5
    assert [each for each in named if each[2] not in exams | sections] == []


def test_questions_cards_materials_and_classes_of_examples_are_those_of_a_demo(
    curriculum: Curriculum, examples: list[Example]
) -> None:
    bank = make_bank([row.topic_id for exam in curriculum.exams for row in exam.blueprint], seed=7)
    there = {question.question_id for of in bank.questions.values() for question in of}
    there |= {material.material_id for of in bank.materials.values() for material in of}
    there |= {card for of in bank.cards.values() for card in of} | {f"{COHORT_PREFIX}1"}
    named = [each for each in examples if each[1] in {*ITEM_FIELDS, "cohort_id"} and _at(each) not in BROUGHT_IN]
    assert len(named) > 20
    assert [each for each in named if each[2] not in there] == []
    brought = {each[2] for each in examples if _at(each) in BROUGHT_IN and each[1] in ITEM_FIELDS}
    assert brought, "the examples of what is brought in are looked at too"
    assert brought.isdisjoint(there), "whoever tries this example would overwrite the demo's own"


def test_a_name_beside_the_id_of_a_topic_is_that_topics_name(curriculum: Curriculum, examples: list[Example]) -> None:
    names = {topic.topic_id: topic.name for topic in curriculum.topics}
    said = {(where, field): value for where, field, value in examples}
    pairs = [(value, said[where, "name"]) for (where, field), value in said.items()
             if field == "topic_id" and (where, "name") in said]  # fmt: skip
    assert len(pairs) > 5
    assert [pair for pair in pairs if names.get(pair[0]) != pair[1]] == []

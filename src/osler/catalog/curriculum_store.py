"""A curriculum, written into the catalogue in one transaction and read back from what is shipped."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from importlib.resources import files

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.catalog.curriculum import Curriculum, Topic, parse_curriculum
from osler.catalog.tables import catalog_versions, exam_blueprint, exams, tag_rules, topic_relationships, topics
from osler.catalog.tag_rules import TagRule, TopicRules
from osler.db.engine import ReadSession, WriteSession
from osler.errors import NotFound

# Topics that nothing refers to any more may go; those that questions, materials or cards name stay, and all above them.
_DROP_UNUSED_TOPICS = sa.text(
    """
    with recursive named as (
      select unnest(cast(:kept as text[])) as topic_id
       union select unnest(topic_ids) from questions
       union select unnest(topic_ids) from materials
       union select unnest(topic_ids) from cards
    ), stays as (
      select topic_id from named
       union select t.parent_id from topics t join stays s on s.topic_id = t.topic_id where t.parent_id is not null
    )
    delete from topics t where not exists (select 1 from stays s where s.topic_id = t.topic_id)
    """
)


SHIPPED = "usmle"
"""What is loaded where nobody has chosen another."""

EARLIER_EDITIONS = frozenset({"478257c92289eeadb142d71de4d6398e0d039fcdf211b4394e03b8882f29d84e"})
"""SHA-256 of `SHIPPED` as it was in versions that had the rules for tags in a file of their own."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did; `version` is the catalogue's version after it."""

    version: int
    topics: int
    edges: int
    exams: int
    changed: bool
    tag_rules: int = 0


def shipped_names() -> list[str]:
    """The curricula that come with Osler."""
    return sorted(p.name.removesuffix(".toml") for p in files("osler.catalog.curricula").iterdir() if p.name[0] != "_")


def read_shipped(name: str) -> bytes:
    """The file of a curriculum that comes with Osler.

    Errors: NotFound, naming those that there are.
    """
    if name not in shipped_names():
        raise NotFound(f"no curriculum '{name}' comes with Osler; there are: {', '.join(shipped_names())}")
    return files("osler.catalog.curricula").joinpath(f"{name}.toml").read_bytes()


async def load_curriculum(session: WriteSession, text: bytes) -> Loaded:
    """Replace topics, edges and exams by what the file says; the same file again changes nothing.

    Errors: UnreadableSource when the file is wrong; the database is untouched then.
    """
    curriculum = parse_curriculum(text)
    digest = hashlib.sha256(text).digest()
    sizes = {
        "topics": len(curriculum.topics),
        "edges": len(curriculum.edges),
        "exams": len(curriculum.exams),
        "tag_rules": len(curriculum.tag_rules),
    }
    present = await session.scalar(
        sa.select(catalog_versions.c.version)
        .where(catalog_versions.c.what == "curriculum", catalog_versions.c.digest == digest)
        .where(catalog_versions.c.version == sa.select(_latest_curriculum()).scalar_subquery())
    )
    if present is not None:
        return Loaded(int(present), **sizes, changed=False)
    await _replace(session, curriculum)
    made = await session.scalar(
        sa.insert(catalog_versions).values(what="curriculum", digest=digest).returning(catalog_versions.c.version)
    )
    return Loaded(int(made or 0), **sizes, changed=True)


async def ensure_curriculum(session: WriteSession) -> Loaded | None:
    """Load the curriculum that comes with Osler where none is loaded, or an earlier edition of it is.

    None where it is there, or another one that somebody chose.
    """
    latest = sa.select(_latest_curriculum()).scalar_subquery()
    digests = await session.tuples(sa.select(catalog_versions.c.digest).where(catalog_versions.c.version == latest))
    if digests and bytes(digests[0][0] or b"").hex() not in EARLIER_EDITIONS:
        return None
    return await load_curriculum(session, read_shipped(SHIPPED))


async def rules_for_tags(session: ReadSession) -> TopicRules:
    """The rules of the curriculum that is loaded."""
    chosen = sa.select(tag_rules.c.words, tag_rules.c.topic_id, tag_rules.c.is_general)
    return TopicRules(TagRule(*row) for row in await session.tuples(chosen))


def _latest_curriculum() -> sa.ColumnElement[int]:
    return sa.func.max(catalog_versions.c.version).filter(catalog_versions.c.what == "curriculum")


async def _replace(session: WriteSession, curriculum: Curriculum) -> None:
    rows = [_topic_row(topic, curriculum.source) for topic in curriculum.topics]  # parents come first
    await session.execute(_upsert_topics(), rows)
    await session.execute(sa.delete(topic_relationships))
    await session.execute(sa.delete(exam_blueprint))
    await session.execute(sa.delete(tag_rules))
    await session.execute(_DROP_UNUSED_TOPICS, {"kept": [t.topic_id for t in curriculum.topics]})
    if curriculum.edges:
        rows = [
            {
                "from_topic_id": e.from_id,
                "to_topic_id": e.to_id,
                "kind": e.kind,
                "strength": e.strength,
                "reason": e.reason,
                "provenance": "editorial",
            }
            for e in curriculum.edges
        ]
        await session.execute(sa.insert(topic_relationships), rows)
    if curriculum.tag_rules:
        await session.execute(sa.insert(tag_rules), [asdict(rule) for rule in curriculum.tag_rules])
    await _write_exams(session, curriculum)


def _upsert_topics() -> pg.Insert:
    insert = pg.insert(topics)
    new = insert.excluded
    changed = ("parent_id", "name", "level", "axis", "board_exam_weight", "weight_provenance", "source")
    return insert.on_conflict_do_update(index_elements=["topic_id"], set_={name: new[name] for name in changed})


def _topic_row(topic: Topic, source: str) -> dict[str, object]:
    row = asdict(topic)
    row["board_exam_weight"] = row.pop("weight")
    return {**row, "weight_provenance": "derived", "source": source}


async def _write_exams(session: WriteSession, curriculum: Curriculum) -> None:
    for exam in curriculum.exams:
        row = asdict(exam)
        blueprint = [{"exam_id": exam.exam_id, **line} for line in row.pop("blueprint")]
        insert = pg.insert(exams).values(row)
        changed = {name: insert.excluded[name] for name in row if name != "exam_id"}
        await session.execute(insert.on_conflict_do_update(index_elements=["exam_id"], set_=changed))
        await session.execute(sa.insert(exam_blueprint), blueprint)

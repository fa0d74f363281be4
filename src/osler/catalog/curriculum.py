"""What a curriculum file says: topics in a tree, edges between them, exams with blueprints, rules for tags. Pure.

The form is `osler-curriculum/1`, a TOML file (docs/reference/curriculum.md). What is wrong with a file is told all at
once, each fault in a sentence with its place.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import msgspec

from osler.catalog.tag_rules import TagRule, rule_faults, rules_in
from osler.errors import UnreadableSource

FORMAT = "osler-curriculum/1"
SYSTEM_AXIS = "system"
LONGEST_NAME = 200
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
"""They turn the direction of what stands after them: a name could pose as another one."""


class _Prerequisite(msgspec.Struct, forbid_unknown_fields=True):
    needs: str
    for_: str = msgspec.field(name="for")
    reason: str
    strength: float = 0.5


class _Related(msgspec.Struct, forbid_unknown_fields=True):
    between: tuple[str, str]
    reason: str


class _Section(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    topics: list[str]
    range: tuple[float, float]
    name: str | None = None


class _Exam(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    name: str
    question_count: int
    source: str
    section: list[_Section]
    cut: float | None = None
    cut_sd: float = 0.0
    cut_note: str | None = None


class CurriculumFile(msgspec.Struct, forbid_unknown_fields=True):
    """The file as it is written; `Curriculum` is what it means."""

    format: str
    id: str
    name: str
    version: str
    source: str
    axes: dict[str, dict[str, str]]
    prerequisite: list[_Prerequisite] = []
    related: list[_Related] = []
    exam: list[_Exam] = []
    tags: dict[str, list[str]] = {}
    general_tags: dict[str, list[str]] = {}


@dataclass(frozen=True, slots=True)
class Topic:
    """A node of the tree. `weight` is importance for the board exam, 0 to 10, None where no exam asks for it."""

    topic_id: str
    parent_id: str | None
    name: str
    level: int
    axis: str
    weight: float | None


@dataclass(frozen=True, slots=True)
class Edge:
    """A prerequisite (`from_id` is needed for `to_id`) or a related pair, with the reason why it is there."""

    from_id: str
    to_id: str
    kind: str
    strength: float
    reason: str


@dataclass(frozen=True, slots=True)
class BlueprintRow:
    """The share of an exam's points on one leaf. The published range is that of the section it was derived from."""

    topic_id: str
    section: str
    exam_share: float
    share_low: float
    share_high: float
    provenance: str


@dataclass(frozen=True, slots=True)
class Exam:
    """An exam and its blueprint; the shares sum to 1."""

    exam_id: str
    name: str
    question_count: int
    cut: float | None
    cut_sd: float
    source: str
    blueprint: tuple[BlueprintRow, ...]


@dataclass(frozen=True, slots=True)
class Curriculum:
    """Everything that one file brings into the catalogue."""

    curriculum_id: str
    name: str
    version: str
    source: str
    topics: tuple[Topic, ...]
    edges: tuple[Edge, ...]
    exams: tuple[Exam, ...]
    tag_rules: tuple[TagRule, ...]


def parse_curriculum(text: bytes) -> Curriculum:
    """Read a curriculum file.

    Errors: UnreadableSource with every fault found; nothing is half read.
    """
    try:
        file = msgspec.toml.decode(text, type=CurriculumFile)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        msg = f"this is no curriculum file: {error}"
        raise UnreadableSource(msg, code="curriculum.unreadable") from error
    if file.format != FORMAT:
        msg = f"the file says format '{file.format}'; this version of Osler reads '{FORMAT}'"
        raise UnreadableSource(msg, code="curriculum.format")
    names = _names(file)
    faults = [
        *_name_faults(file, names),
        *_tree_faults(names),
        *_edge_faults(file, names),
        *_exam_faults(file, names),
        *rule_faults(file.tags, file.general_tags, names),
    ]
    if faults:
        raise UnreadableSource("the curriculum cannot be loaded:\n  " + "\n  ".join(faults), code="curriculum.invalid")
    exams = tuple(_exam(exam, names) for exam in file.exam)
    rules = rules_in(file.tags, file.general_tags)
    return Curriculum(file.id, file.name, file.version, file.source, _topics(names, exams), _edges(file), exams, rules)


def _names(file: CurriculumFile) -> dict[str, tuple[str, str]]:
    """Topic id → (name, axis). Topics of axes other than the organ systems stand under their axis' name."""
    names: dict[str, tuple[str, str]] = {}
    for axis, entries in file.axes.items():
        if axis != SYSTEM_AXIS:
            names[axis] = (axis.capitalize() + "s", axis)
        for key, name in entries.items():
            names[key if axis == SYSTEM_AXIS else f"{axis}.{key}"] = (name, axis)
    return names


def _name_faults(file: CurriculumFile, names: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """Names are shown to people as they stand: any script and any sign, but nothing that cannot be seen."""
    called = [("the curriculum", file.name), *((f"topic '{key}'", name) for key, (name, _) in names.items())]
    for exam in file.exam:
        called.append((f"exam '{exam.id}'", exam.name))
        called += [(f"{exam.id}: section '{section.id}'", section.name) for section in exam.section if section.name]
    for what, name in called:
        if not 1 <= len(name.strip()) <= LONGEST_NAME:
            yield f"{what} needs a name of 1 to {LONGEST_NAME} characters"
        if hidden := next((sign for sign in name if is_unseen(sign)), None):
            yield f"the name of {what} holds U+{ord(hidden):04X}, which cannot be seen and changes what is"


def is_unseen(sign: str) -> bool:
    """Whether a character controls a line, a terminal or the direction of reading; joiners of emoji do not."""
    return unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} or sign in _TURNING


def parent_of(topic_id: str) -> str | None:
    """The topic above: what stands before the last dot."""
    return topic_id.rpartition(".")[0] or None


def _leaves(names: Mapping[str, object], root: str) -> list[str]:
    inside = sorted(t for t in names if t == root or t.startswith(root + "."))
    parents = {parent_of(t) for t in inside}
    return [t for t in inside if t not in parents]


def _tree_faults(names: Mapping[str, object]) -> Iterator[str]:
    for topic_id in names:
        parent = parent_of(topic_id)
        if parent is not None and parent not in names:
            yield f"topic '{topic_id}' has no parent '{parent}'"


def _edge_faults(file: CurriculumFile, names: Mapping[str, object]) -> Iterator[str]:
    pairs = [(e.needs, e.for_) for e in file.prerequisite]
    for at, pair in enumerate([*pairs, *(r.between for r in file.related)]):
        for topic_id in pair:
            if topic_id not in names:
                yield f"edge {at + 1} names the topic '{topic_id}', which is not in the tree"
    for edge in file.prerequisite:
        if not 0 < edge.strength <= 1:
            yield f"the edge {edge.needs} → {edge.for_} has strength {edge.strength}; it must lie in (0, 1]"
    for pair in sorted({p for p in pairs if pairs.count(p) > 1}):
        yield f"the edge {pair[0]} → {pair[1]} stands twice"
    cycle = _cycle(pairs)
    if cycle:
        yield f"prerequisites go round in a circle: {' → '.join(cycle)}"


def _cycle(pairs: list[tuple[str, str]]) -> list[str]:
    needs: dict[str, set[str]] = {}
    for before, after in pairs:
        needs.setdefault(after, set()).add(before)
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        return [str(topic_id) for topic_id in error.args[1]]
    return []


def _exam_faults(file: CurriculumFile, names: Mapping[str, object]) -> Iterator[str]:
    for exam in file.exam:
        claimed: set[str] = set()
        for section in exam.section:
            low, high = section.range
            if not 0 <= low <= high <= 1:
                yield f"{exam.id}: section '{section.id}' has the range {low} to {high}; shares lie in 0 to 1"
            for topic_id in section.topics:
                if topic_id not in names:
                    yield f"{exam.id}: section '{section.id}' names the topic '{topic_id}', which is not in the tree"
                if topic_id in claimed:
                    yield f"{exam.id}: topic '{topic_id}' stands in two sections"
                claimed.add(topic_id)
        if not any(sum(section.range) > 0 for section in exam.section):
            yield f"{exam.id}: no section has a share"


def _exam(exam: _Exam, names: Mapping[str, tuple[str, str]]) -> Exam:
    """Midpoints of the published ranges, scaled to sum to 1; a section's share is spread evenly over its leaves.

    A section goes by its name, or by that of its first topic: it is read by people on every page.
    """
    total = sum(sum(section.range) / 2 for section in exam.section)
    rows: list[BlueprintRow] = []
    for section in exam.section:
        leaves = [leaf for topic_id in section.topics for leaf in _leaves(names, topic_id)]
        share = sum(section.range) / 2 / total / len(leaves)
        provenance = "published" if len(leaves) == 1 else "derived"
        low, high = section.range
        called = section.name or names[section.topics[0]][0]
        rows += [BlueprintRow(leaf, called, share, low, high, provenance) for leaf in leaves]
    return Exam(exam.id, exam.name, exam.question_count, exam.cut, exam.cut_sd, exam.source, tuple(rows))


def _topics(names: Mapping[str, tuple[str, str]], exams: tuple[Exam, ...]) -> tuple[Topic, ...]:
    """Parents before children. The weight is 10 · share / largest share of the first exam, for leaves that it asks."""
    shares = {row.topic_id: row.exam_share for row in exams[0].blueprint} if exams else {}
    largest = max(shares.values(), default=1.0)
    made = (
        Topic(
            topic_id,
            parent_of(topic_id),
            name,
            topic_id.count("."),
            axis,
            10 * shares[topic_id] / largest if topic_id in shares else None,
        )
        for topic_id, (name, axis) in names.items()
    )
    return tuple(sorted(made, key=lambda topic: (topic.level, topic.topic_id)))


def _edges(file: CurriculumFile) -> tuple[Edge, ...]:
    needed = [Edge(e.needs, e.for_, "prerequisite", e.strength, e.reason) for e in file.prerequisite]
    related = [Edge(min(r.between), max(r.between), "related", 0.5, r.reason) for r in file.related]
    return tuple(needed + related)

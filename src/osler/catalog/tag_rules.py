"""Which topics a tag or deck name speaks of: the rules of a curriculum, words to topics. Pure.

A path such as `#Deck::16_Respiratory::03_Asthma` is read from its last part to its first; in a part the longest run of
words that a rule knows wins. A leaf beats the system that it lies in, so `Respiratory` alone gives the system only
when nothing below it is known.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

RULES_VERSION = "tags-1"
"""Of how rules are read; which there are is told by the version of the catalogue."""
MOST_TOPICS = 5
MOST_WORDS = 12
_SEPARATOR = re.compile(r"::|\x1f|/")
_NOT_A_WORD = re.compile(r"[\W_]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NUMBERED = re.compile(r"^[0-9]+\s+")


@dataclass(frozen=True, slots=True)
class TagRule:
    """Words and the topic that they speak of. Where they are general, any other topic that the path names wins."""

    words: str
    topic_id: str
    is_general: bool = False


def words_of(part: str) -> str:
    """A part of a path in plain lower-case words of any script, without its leading number.

    >>> words_of("16_Heart_Failure_(CHF)")
    'heart failure chf'
    """
    plain = _HUMP.sub(" ", unicodedata.normalize("NFKC", part)).casefold()
    return _NUMBERED.sub("", _NOT_A_WORD.sub(" ", plain).strip())


def rules_in(tags: Mapping[str, Sequence[str]], general: Mapping[str, Sequence[str]]) -> tuple[TagRule, ...]:
    """The rules of a file, each once. `tags` and `general` are its tables: topic → what speaks of it."""
    found: dict[str, TagRule] = {}
    for table, is_general in ((tags, False), (general, True)):
        for topic_id, entries in table.items():
            for entry in entries:
                words = words_of(entry)
                found.setdefault(words, TagRule(words, topic_id, is_general))
    return tuple(found.values())


def rule_faults(
    tags: Mapping[str, Sequence[str]], general: Mapping[str, Sequence[str]], names: Mapping[str, object]
) -> Iterator[str]:
    """What is wrong with the tables of a file, each fault with its table, topic and entry. `names` are its topics."""
    taken: dict[str, str] = {}
    for called, table in (("tags", tags), ("general_tags", general)):
        for topic_id, entries in table.items():
            if topic_id not in names:
                yield f"[{called}] names the topic '{topic_id}', which is not in the tree"
            for at, entry in enumerate(entries, 1):
                where = f"[{called}] '{topic_id}', entry {at}"
                words = words_of(entry)
                if not words:
                    yield f"{where} holds no word that a tag could hold"
                elif words.count(" ") >= MOST_WORDS:
                    yield f"{where} has more than {MOST_WORDS} words"
                elif (other := taken.setdefault(words, f"{called}:{topic_id}")) != f"{called}:{topic_id}":
                    yield f"{where} is '{words}', which stands for '{other.partition(':')[2]}' already"


class TopicRules:
    """Rules to look tags up by. Lookup is by word runs, so its cost does not grow with the rules."""

    def __init__(self, rules: Iterable[TagRule]) -> None:
        self._rules = {rule.words: rule for rule in rules}
        self._longest = max((words.count(" ") + 1 for words in self._rules), default=0)
        self._seen: dict[str, str | None] = {}

    def __len__(self) -> int:
        """How many rules there are."""
        return len(self._rules)

    def topics_of(self, paths: Iterable[str]) -> tuple[str, ...]:
        """The topics of a card with these tags and deck, at most five, the deepest first, sorted."""
        found = {topic for path in paths if (topic := self.topic_of(path)) is not None}
        above = {above for topic in found for above in _above(topic)}
        ranked = sorted(found - above, key=lambda topic: (-topic.count("."), topic))
        return tuple(sorted(ranked[:MOST_TOPICS]))

    def topic_of(self, path: str) -> str | None:
        """The topic that one path speaks of, or None."""
        if path not in self._seen:
            self._seen[path] = self._look_up(path)
        return self._seen[path]

    def _look_up(self, path: str) -> str | None:
        found: TagRule | None = None
        for part in reversed(_SEPARATOR.split(path)):
            rule = self._in_part(words_of(part).split())
            if rule is not None and _is_below(rule):
                return rule.topic_id
            if found is None or (found.is_general and rule is not None):
                found = rule
        return None if found is None else found.topic_id

    def _in_part(self, words: list[str]) -> TagRule | None:
        best: TagRule | None = None
        for length in range(min(self._longest, len(words)), 0, -1):
            for start in range(len(words) - length + 1):
                rule = self._rules.get(" ".join(words[start : start + length]))
                if rule is not None and _is_below(rule):
                    return rule
                best = best or rule
        return best


def _is_below(rule: TagRule) -> bool:
    """Whether the rule names something below a system, and so needs no further look."""
    return "." in rule.topic_id and not rule.is_general


def _above(topic_id: str) -> Iterator[str]:
    while topic_id := topic_id.rpartition(".")[0]:
        yield topic_id

"""Which topics a tag or deck name speaks of: rules of ours, words to topics.

A path such as `#Deck::16_Respiratory::03_Asthma` is read from its last part to its first; in a part the longest phrase
that one of our rules knows wins. A leaf beats the system that it lies in, so `Respiratory` alone gives the system only
when nothing below it is known.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Self

RULES_VERSION = "tags-1"
MOST_TOPICS = 5
GENERAL = "multisystem"
"""Words such as pathology or pharmacology stand below every organ system; the system, where it is named, wins."""
_SEPARATOR = re.compile(r"::|\x1f|/")
_NOT_A_WORD = re.compile(r"[^a-z0-9]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NUMBERED = re.compile(r"^[0-9]+\s+")


def words_of(part: str) -> str:
    """A part of a path in plain lower-case words, without its leading number.

    >>> words_of("16_Heart_Failure_(CHF)")
    'heart failure chf'
    """
    return _NUMBERED.sub("", _NOT_A_WORD.sub(" ", _HUMP.sub(" ", part).lower()).strip())


class TopicRules:
    """Phrases and the topics that they mean. Lookup is by word runs, so its cost does not grow with the rules."""

    def __init__(self, phrases: Mapping[str, str]) -> None:
        self._topics = dict(phrases)
        self._longest = max((phrase.count(" ") + 1 for phrase in phrases), default=0)
        self._seen: dict[str, str | None] = {}

    @classmethod
    def shipped(cls) -> Self:
        """The rules that come with Osler, for the curriculum `usmle`."""
        return cls(_shipped_phrases())

    def topics_of(self, paths: Iterable[str]) -> tuple[str, ...]:
        """The topics of a card with these tags and deck, at most five, leaves before systems, sorted."""
        found = {topic for path in paths if (topic := self.topic_of(path)) is not None}
        leaves = {topic for topic in found if "." in topic}
        inside = {topic.partition(".")[0] for topic in leaves}
        kept = leaves | {topic for topic in found - leaves if topic not in inside}
        ranked = sorted(kept, key=lambda topic: (-topic.count("."), topic))
        return tuple(sorted(ranked[:MOST_TOPICS]))

    def topic_of(self, path: str) -> str | None:
        """The topic that one path speaks of, or None."""
        if path not in self._seen:
            self._seen[path] = self._look_up(path)
        return self._seen[path]

    def _look_up(self, path: str) -> str | None:
        system: str | None = None
        for part in reversed(_SEPARATOR.split(path)):
            topic = self._in_part(words_of(part).split())
            if topic is not None and "." in topic:
                return topic
            if system is None or (system == GENERAL and topic is not None):
                system = topic
        return system

    def _in_part(self, words: list[str]) -> str | None:
        best: str | None = None
        for length in range(min(self._longest, len(words)), 0, -1):
            for start in range(len(words) - length + 1):
                topic = self._topics.get(" ".join(words[start : start + length]))
                if topic is not None and "." in topic:
                    return topic
                best = best or topic
        return best


@cache
def _shipped_phrases() -> dict[str, str]:
    text = files("osler.ingest.importers").joinpath("topic_rules.toml").read_text()
    rules = tomllib.loads(text)["rules"]
    return {words_of(phrase): topic for topic, phrases in rules.items() for phrase in phrases}

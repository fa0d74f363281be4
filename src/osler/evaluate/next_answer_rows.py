"""What was known before each answer? Splits learners, encodes items out of fold, and folds the served states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import isnan

import numpy as np
import numpy.typing as npt

from osler.evaluate.next_answer_data import Answers, Floats, Ints
from osler.science import histories, voices
from osler.science.features import NAMES, Answer
from osler.science.histories import Histories
from osler.science.irt import DEFAULTS, Parameters
from osler.science.item_easiness import FOLDS, Encoding, fold_of, tally
from osler.science.next_answer import Rows

Bools = npt.NDArray[np.bool_]
Advance = Callable[[int, int], None]

TEST_ONE_IN = 5
FORWARD_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Split:
    """Which rows are scored, in words too. `by_learner`: the scored rows' learners are in no training row."""

    is_test: Bools
    by_learner: bool
    text: str


def split_by_learner(answers: Answers) -> Split:
    """One learner in five is held out, by a hash of data set and learner: protocol (A)."""
    held_out = np.array([fold_of(f"{answers.dataset}:{name}", TEST_ONE_IN) == 0 for name in answers.learners])
    text = (
        f"By learner: sha256('{answers.dataset}:<learner>') mod 5 = 0 is tested ({int(held_out.sum())} of "
        f"{held_out.size} learners), strictly online; encodings of training learners leave their own fold out."
    )
    return Split(held_out[answers.learner], by_learner=True, text=text)


def split_forward(answers: Answers) -> Split:
    """The last fifth of all answers by instant is tested, everything before trains: protocol (B).

    Without instants it is the last fifth of each learner's own answers.
    """
    if answers.has_time:
        cut = float(np.quantile(answers.at[~answers.is_card], FORWARD_SHARE)) if not answers.is_card.all() else np.inf
        text = "Forward in time: the last fifth of all answers is tested, fitted on everything before that instant."
        return Split(answers.at > cut, by_learner=False, text=text)
    begins, sizes = answers.bounds()[:-1], np.diff(answers.bounds())
    place = np.arange(answers.learner.size) - begins[answers.learner]
    text = "Forward in order: the last fifth of each learner's answers is tested, fitted on those before (no dates)."
    return Split(place >= np.ceil(FORWARD_SHARE * sizes)[answers.learner], by_learner=False, text=text)


def splits(answers: Answers) -> tuple[Split, Split | None]:
    """(how the report is made, the other protocol where the data allow it).

    A table is tested on learners who were held out, a log forward in time, as it is served. Where one of the sides
    has no learner, as in one learner's own table, there is forward only; a table without dates has no second.
    """
    apart, forward = split_by_learner(answers), split_forward(answers)
    if not apart.is_test.any() or apart.is_test.all():
        return forward, None
    if answers.is_log:
        return forward, apart
    return apart, forward if answers.has_time else None


def learner_folds(answers: Answers) -> Ints:
    """The encoding fold of each learner."""
    return np.array([fold_of(f"{answers.dataset}:fold:{name}") for name in answers.learners], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Encodings:
    """Item easiness from training rows: for each fold without it, and from all."""

    without_fold: tuple[Encoding, ...]
    full: Encoding
    fold: Ints

    def of(self, learner: int, *, in_training: bool) -> Encoding:
        """What a learner's rows are encoded with."""
        return self.without_fold[int(self.fold[learner])] if in_training else self.full


def encode(answers: Answers, is_training: Bools) -> Encodings:
    """Encodings from the first attempts of the training rows. Names are the codes themselves.

    A learner's own cards have no population, and no part in it. In a log nobody is more than a tenth of what is said of
    a topic, as when it is served; of a table all answers count, as its published protocol has it.
    """
    fold = learner_folds(answers)
    rows = is_training & answers.is_first() & ~answers.is_card
    learner, item, item_topics = answers.learner[rows], answers.item[rows], answers.item_topics()
    counts = tally(
        fold[learner], item, answers.correct[rows], item_topics, items=len(answers.items), topics=len(answers.topics),
        weight=voices.weights(learner, item, item_topics) if answers.is_log else None,
    )  # fmt: skip
    items, topics = range(len(answers.items)), range(len(answers.topics))
    without_fold = tuple(counts.encoding(items, topics, leave_out=f) for f in range(FOLDS))
    return Encodings(without_fold, counts.encoding(items, topics), fold)


def answers_of(answers: Answers, start: int, stop: int) -> list[Answer]:
    """Some rows as the values that are folded live."""
    rows = slice(start, stop)
    items: list[int] = answers.item[rows].tolist()
    groups: list[int] = answers.topic_set[rows].tolist()
    outcomes: list[float] = answers.correct[rows].tolist()
    instants: list[float] = answers.at[rows].tolist()
    cards: list[bool] = answers.is_card[rows].tolist()
    return [
        Answer(item, answers.topic_sets[group], right > 0.5, None if isnan(at) else at, is_card)
        for item, group, right, at, is_card in zip(items, groups, outcomes, instants, cards, strict=True)
    ]


def features_of(
    answers: Answers,
    split: Split,
    encodings: Encodings,
    parameters: Parameters = DEFAULTS,
    progress: Advance | None = None,
) -> Floats:
    """The 24 features of every answer, (n, 24), each from before it: the live fold, learner by learner.

    Learners held out are encoded with all training rows. Forward in time every row is encoded without its learner's
    own fold, as it is live.
    """
    bounds: list[int] = answers.bounds().tolist()
    traced: list[list[float]] = []
    for learner, (start, stop) in enumerate(pairwise(bounds)):
        # Forward in time a learner has rows on both sides of the cut: the states run on.
        cut = start + int((~split.is_test[start:stop]).sum())
        state = histories.initial(parameters)
        for a, b, in_training in ((start, cut, True), (cut, stop, False)):
            if a < b:
                encoding = encodings.of(learner, in_training=in_training or not split.by_learner)
                state = histories.fold(state, answers_of(answers, a, b), encoding, parameters, traced)
        if progress is not None and learner % 50 == 0:
            progress(learner, len(answers.learners))
    return np.array(traced).reshape(-1, len(NAMES))


def state_after(answers: Answers, start: int, stop: int, encoding: Encoding, parameters: Parameters) -> Histories:
    """A learner's state after some rows."""
    return histories.fold(histories.initial(parameters), answers_of(answers, start, stop), encoding, parameters)


def rows_of(answers: Answers, features: Floats) -> Rows:
    """Everything that fits need, aligned with the answers. Counts on topics are those of each topic by itself."""
    sizes = np.array([len(group) for group in answers.topic_sets], dtype=np.int64)
    flat = np.array([topic for group in answers.topic_sets for topic in group], dtype=np.int64)
    begins = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    per_row = sizes[answers.topic_set]
    topic_row = np.repeat(np.arange(answers.item.size), per_row)
    within = np.arange(topic_row.size) - np.repeat(np.cumsum(per_row) - per_row, per_row)
    topic = flat[np.repeat(begins[answers.topic_set], per_row) + within]
    right, wrong = running_counts(answers.learner[topic_row], topic, answers.correct[topic_row])
    return Rows(features, answers.item, topic_row, topic, np.log1p(right), np.log1p(wrong), answers.correct)


def running_counts(learner: Ints, topic: Ints, correct: Floats) -> tuple[Floats, Floats]:
    """(right, wrong) answers of the learner on the topic before each row; rows in order of time within learner."""
    key = learner * (int(topic.max(initial=0)) + 1) + topic
    order = np.argsort(key, kind="stable")
    sorted_key, sorted_correct = key[order], correct[order]
    before = np.cumsum(sorted_correct) - sorted_correct
    begins = np.flatnonzero(np.diff(sorted_key, prepend=-1) != 0)
    sizes = np.diff(np.append(begins, key.size))
    base = np.repeat(before[begins], sizes)
    place = np.arange(key.size) - np.repeat(begins, sizes)
    right, wrong = np.empty(key.size), np.empty(key.size)
    right[order] = before - base
    wrong[order] = place - (before - base)
    return right, wrong

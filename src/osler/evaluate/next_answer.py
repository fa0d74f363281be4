"""Will the next answer be right? Osler's forecasts and every baseline over real answers, strictly forwards."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from osler.errors import InvalidInput
from osler.evaluate import groups, next_answer_leaks, next_answer_practice
from osler.evaluate.judging import judge
from osler.evaluate.metrics import log_loss, score
from osler.evaluate.next_answer_data import Answers, Floats, read
from osler.evaluate.next_answer_models import Task, forecasts, task_of
from osler.evaluate.next_answer_rows import Split, encode, features_of, rows_of, splits
from osler.evaluate.protocol import Progress, sha256_of, versions
from osler.evaluate.report import SERVED, CardText, Report

NAME = "next-answer"
SO_FAR = {"0": (0, 0), "1-5": (1, 5), "6-20": (6, 20), "21+": (21, None)}
COMPARED = (SERVED, "ADF", "running learner-skill mean", "Best-LR")

CARD = CardText(
    name="next-answer",
    title="Next answer",
    question="How likely is it that the learner's next answer to this question is right?",
    inputs="The learner's own answers so far (item, topics, right or wrong, order), and the population's first "
    "attempts at items and topics, without the learner's own. No name, no demographics, no time of day.",
    method="Mean logit of an L2-regularised logistic regression (Best-LR features and 24 online features) and of 200 "
    "boosted trees on the 24. With fewer than 2,000 training answers or 20 learners: online item response alone.",
    choices="Features, penalties and tree sizes are those of the design, fixed before this run; nothing is chosen on "
    "the tested rows. Item encodings leave each training learner's own fold out.",
    limits=(
        "Forecasting is shown, learning is not: no trial stands behind these figures.",
        "On ASSISTments the list of features was written with an earlier run on these learners in view.",
        "Measured on school mathematics (ASSISTments 2009-10) where that file is used, not on medicine.",
        "Those answers carry no dates: nothing is claimed about forgetting.",
        "Pooled AUC rewards telling learners apart; AUC within learner is given beside it.",
        "Not for grading.",
    ),
    sources=(
        "Gervet, Koedinger, Schneider, Mitchell 2020 (Best-LR)",
        "Minka 2001; MacKay 1992 (online item response)",
        "Feng, Heffernan, Koedinger 2009 (ASSISTments)",
    ),
)


class NextAnswer:
    """The backtest of next-answer forecasts.

    A table is split by learner (protocol A), Osler's own log forward in time (protocol B); where the data allow the
    other one too, its figures are a section of the report.
    """

    name = NAME

    def run(
        self, path: Path, *, as_of: date | None, baselines: Sequence[str] | None, progress: Progress, seed: int
    ) -> Report:
        """Run on a file or folder. Errors: UnreadableSource, InvalidInput for data or names that cannot be used."""
        started = time.perf_counter()
        progress("reading", 0, 1)
        answers = read(path, as_of)
        split, other = splits(answers)
        task, made, described, notes = _forecast(answers, split, baselines, progress, seed)
        progress("scoring", 0, 1)
        learner = np.array(answers.learners)[answers.learner[task.test]]
        models = judge(learner, task.test_rows.correct, made, seed=seed, descriptions=described)
        progress("checking for leaks", 0, 1)
        sections = _sections(task, split, made)
        if other is not None:
            sections |= _other_protocol(answers, other, baselines, progress, seed)
        return Report(
            task=NAME,
            n=int(task.test.size),
            learners=int(np.unique(learner).size),
            split=split.text,
            models=models,
            data_sha256=sha256_of(path),
            versions=versions(),
            seed=seed,
            wall_seconds=time.perf_counter() - started,
            notes=[*notes, *_said_of(answers, sections)],
            sections=sections,
            cards=(CARD,),
        )


def _forecast(
    answers: Answers, split: Split, baselines: Sequence[str] | None, progress: Progress, seed: int
) -> tuple[Task, dict[str, Floats], dict[str, str], list[str]]:
    """(task, forecasts of the tested rows, what each model is, notes) under one split."""
    encodings = encode(answers, ~split.is_test)
    features = features_of(
        answers, split, encodings, progress=lambda done, total: progress("folding learners", done, total)
    )
    task = task_of(answers, split, rows_of(answers, features), seed)
    return task, *forecasts(task, baselines, progress)


def _other_protocol(
    answers: Answers, split: Split, baselines: Sequence[str] | None, progress: Progress, seed: int
) -> dict[str, dict[str, dict[str, Any]]]:
    """Every model's figures under the protocol that the report is not made by; nothing where a side has no rows."""
    try:
        task, made, _, _ = _forecast(answers, split, baselines, progress, seed)
    except InvalidInput:
        return {}
    outcome = task.test_rows.correct
    rows: dict[str, dict[str, Any]] = {}
    for name, p in made.items():
        own = score(outcome, p)
        rows[name] = {"n": own.n, "log_loss": own.log_loss, "auc": own.auc, "brier": own.brier, "ece": own.ece}
    return {"by_learner_instead" if split.by_learner else "forward_in_time": rows}


def _sections(task: Task, split: Split, made: Mapping[str, Floats]) -> dict[str, dict[str, dict[str, Any]]]:
    practice = next_answer_practice.check(task.answers, ~split.is_test, task.seed)
    answers = task.answers
    by_label = groups.sections(
        answers.labels, np.array(answers.learners)[answers.learner[task.test]], task.test_rows.correct, made,
        served=SERVED, beside=COMPARED,
    )  # fmt: skip
    return {
        "training": {"rows": {"n": int(task.train.size), "learners": _learners(task), "share_right": task.base}},
        "by_attempts_so_far": by_attempts_so_far(task, made),
        **groups.topics(_topics(task), task.test_rows.correct, made, served=SERVED, beside=COMPARED),
        **by_label,
        "leak_checks": next_answer_leaks.run(task.answers, split, task.seed),
        "practice_curve": next_answer_practice.as_section(practice),
    }


def _learners(task: Task) -> int:
    return int(np.unique(task.answers.learner[task.train]).size)


def by_attempts_so_far(task: Task, made: Mapping[str, Floats]) -> dict[str, dict[str, Any]]:
    """Log loss by how many answers the learner had given before: the cold start."""
    so_far, _ = task.answers.prior_counts()
    so_far = so_far[task.test]
    rows: dict[str, dict[str, Any]] = {}
    for name, (low, high) in SO_FAR.items():
        inside = (so_far >= low) & (so_far <= (high if high is not None else so_far.max(initial=0)))
        if inside.any():
            rows[name] = {"n": int(inside.sum())} | _losses(task, made, inside)
    return rows


def _topics(task: Task) -> np.ndarray[Any, np.dtype[np.str_]]:
    """The topic of each tested answer; several topics are one, "" is none."""
    answers = task.answers
    names = [";".join(answers.topics[topic] for topic in topics) for topics in answers.topic_sets]
    return np.array(names, dtype=np.str_)[answers.topic_set[task.test]]


def _losses(task: Task, made: Mapping[str, Floats], inside: np.ndarray[Any, np.dtype[np.bool_]]) -> dict[str, float]:
    outcome = task.test_rows.correct[inside]
    return {name: log_loss(outcome, made[name][inside]) for name in COMPARED if name in made}


def _said_of(answers: Answers, sections: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    notes = [f"{count} rows left out: {reason}." for reason, count in answers.dropped.items() if count]
    notes += [f"Leak check failed: {name}." for name, row in sections["leak_checks"].items() if not row["passed"]]
    gamma = sections["practice_curve"].get("gamma")
    if gamma is None:
        notes.append("Too few answers to test the practice curve: points per hour do not order gaps.")
    elif not gamma["wins_forward_in_time"]:
        notes.append("The practice curve does not win forward in time here: points per hour do not order gaps.")
    if not answers.has_time:
        notes.append("No dates: order only. Nothing is said about forgetting.")
    return notes


TASK = NextAnswer()

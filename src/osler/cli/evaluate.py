"""`osler evaluate`: what are the forecasts worth on these records, beside every baseline?"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from osler.evaluate.protocol import Progress, Task
    from osler.evaluate.report import Report


class TaskName(StrEnum):
    """The questions that can be put to the forecasts."""

    RECALL = "recall"
    NEXT_ANSWER = "next-answer"
    EXAM = "exam"
    ITEM_RESPONSE = "item-response"


def command(  # noqa: PLR0917 - the options of a command line; Typer calls by name
    task: Annotated[TaskName, typer.Option(help="Which forecasts to test.")],
    data: Annotated[Path, typer.Option(exists=True, help="A file, or the folder of a data set in several files.")],
    as_of: Annotated[
        datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="Leave out what came after this day.")
    ] = None,
    baselines: Annotated[str, typer.Option(help="'all', or names with commas.")] = "all",
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the report as JSON.")] = None,
    html_out: Annotated[Path | None, typer.Option("--html", help="Write the report as a page of its own.")] = None,
    cards: Annotated[Path | None, typer.Option(help="Write the model cards into this folder.")] = None,
    champion: Annotated[
        Path | None,
        typer.Option(exists=True, help="A recorded report: exit 1 unless this run is not worse, beyond chance."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same report.")] = 0,
) -> None:
    """Run Osler's forecasts and every baseline over records, strictly forwards, and print who wins.

    Exit codes: 0 done, 1 worse than the champion, 2 wrong arguments or data that cannot be read.
    """
    from osler.errors import OslerError

    # Before NumPy is loaded: small fits on several BLAS threads wait for one another.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    chosen = None if baselines == "all" else tuple(name.strip() for name in baselines.split(",") if name.strip())
    day = as_of.replace(tzinfo=UTC).date() if as_of else None
    try:
        _check_places(json_out, html_out, cards)
        with _ProgressBar(task.value) as progress:
            report = _task(task).run(data, as_of=day, baselines=chosen, progress=progress, seed=seed)
        _write(report, json_out, html_out, cards)
        _print(report)
        passed = champion is None or _keeps_level(report, champion, seed)
    except OslerError as error:
        typer.echo(f"osler evaluate: {error.text}", err=True)
        raise typer.Exit(2) from error
    if not passed:
        raise typer.Exit(1)


def _task(name: TaskName) -> Task:
    if name is TaskName.RECALL:
        from osler.evaluate import recall

        return recall.TASK
    if name is TaskName.NEXT_ANSWER:
        from osler.evaluate import next_answer

        return next_answer.TASK
    if name is TaskName.ITEM_RESPONSE:
        from osler.evaluate import item_response

        return item_response.TASK
    from osler.evaluate import exam

    return exam.TASK


class _ProgressBar:
    """A bar on standard error, so that standard output stays the table."""

    def __init__(self, title: str) -> None:
        from rich.console import Console
        from rich.progress import Progress as Bar

        self._bar = Bar(console=Console(stderr=True), transient=True)
        self._row = self._bar.add_task(title, total=None)

    def __enter__(self) -> Progress:
        self._bar.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _show(self, label: str, done: int, total: int) -> None:
        self._bar.update(self._row, description=label, completed=done, total=total)


def _check_places(json_out: Path | None, html_out: Path | None, cards: Path | None) -> None:
    """Minutes of computing are not to end at a path that cannot be written. Errors: InvalidInput, naming it."""
    from osler.errors import InvalidInput

    for file in (json_out, html_out):
        if file is None:
            continue
        if file.is_dir():
            raise InvalidInput(f"{file} is a folder: name a file in it.")
        if not file.parent.is_dir():
            raise InvalidInput(f"{file} cannot be written: there is no folder {file.parent}.")
        if not os.access(file if file.exists() else file.parent, os.W_OK):
            raise InvalidInput(f"{file} cannot be written: no permission.")
    if cards is not None and cards.exists() and not cards.is_dir():
        raise InvalidInput(f"{cards} is a file: --cards wants a folder.")


def _write(report: Report, json_out: Path | None, html_out: Path | None, cards: Path | None) -> None:
    if json_out:
        json_out.write_text(json.dumps(report.to_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    if html_out:
        html_out.write_text(report.to_html())
    if cards:
        cards.mkdir(parents=True, exist_ok=True)
        for name, text in report.model_cards().items():
            (cards / name).write_text(text)


def _print(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("model", "log loss", "AUC", "Brier", "ECE", "osler minus this (95 %)")
    for name, model in sorted(report.models.items(), key=lambda row: row[1].log_loss):
        gap = model.against_served
        span = f" [{gap.low:+.4f}, {gap.high:+.4f}]" if gap is not None and gap.learners > 1 else ""
        compared = "" if gap is None else f"{gap.mean:+.4f}{span}"
        auc = "–" if model.auc is None else f"{model.auc:.3f}"
        table.add_row(name, f"{model.log_loss:.4f}", auc, f"{model.brier:.4f}", f"{model.ece:.3f}", compared)
    out = Console()
    out.print(f"{report.task}: {report.n} rows, {report.learners} learners. {report.split}")
    for sentence in report.answer:
        out.print(sentence)
    out.print(table)
    nobody = ["No baseline is ahead of osler on log loss or AUC."] if len(report.models) > 1 else []
    for sentence in report.losses() or nobody:
        out.print(sentence)
    for note in report.notes:
        out.print(f"Note: {note}")


def _keeps_level(report: Report, champion: Path, seed: int) -> bool:
    from osler.evaluate.champion import against_champion

    gap = against_champion(report, champion, weight="learners" if report.task == "recall" else "rows", seed=seed)
    passed = gap.high <= 0.0
    verdict = "keeps the champion's level" if passed else "is not shown to keep the champion's level"
    typer.echo(f"osler {verdict}: {gap.mean:+.5f} [{gap.low:+.5f}, {gap.high:+.5f}] ({gap.status})", err=True)
    return passed

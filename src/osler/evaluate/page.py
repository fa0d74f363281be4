"""How does a report look? The page with inline SVG and the model cards, drawn from a finished report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from osler.evaluate.metrics import CalibrationBin

if TYPE_CHECKING:
    from osler.evaluate.report import CardText, ModelResult, Report

SIDE = 220.0  # of a calibration plot, in user units
MARGIN = 28.0
FEW_GROUPS, MANY_FIGURES = 3, 5


@dataclass(frozen=True, slots=True)
class Dot:
    """A circle of a calibration plot, in user units."""

    x: float
    y: float
    r: float
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A difference with its interval, on a common scale from 0 to 1."""

    name: str
    low: float
    mean: float
    high: float
    label: str


def calibration_dots(table: Sequence[CalibrationBin]) -> list[Dot]:
    """Where each bin stands: forecast to the right, observed upwards, area by rows."""
    largest = max((b.n for b in table), default=1)
    return [
        Dot(
            x=round(MARGIN + b.forecast * SIDE, 2),
            y=round(MARGIN + (1.0 - b.observed) * SIDE, 2),
            r=round(2.0 + 4.0 * (b.n / largest) ** 0.5, 2),
            label=f"forecast {b.forecast:.3f}, observed {b.observed:.3f}, n {b.n}",
        )
        for b in table
    ]


def difference_bars(report: Report) -> tuple[list[Bar], float]:
    """The bars of Osler minus each baseline, and where 0 lies on their scale.

    The scale holds most of them: one baseline that is far off would press all others into a point, so it is drawn to
    the edge and its figures stand beside it.
    """
    gaps = {name: model.against_served for name, model in report.models.items() if model.against_served is not None}
    if not gaps:
        return [], 0.0
    reach = sorted(max(abs(gap.low), abs(gap.high)) for gap in gaps.values())
    edge = 1.2 * reach[(len(reach) * 3) // 4] or 1.0
    least = -edge if any(gap.low < 0 for gap in gaps.values()) else 0.0
    span = ((edge if any(gap.high > 0 for gap in gaps.values()) else 0.0) - least) or 1.0  # all alike: one point

    def place(value: float) -> float:
        return min(max((value - least) / span, 0.0), 1.0)

    bars = [
        Bar(
            name=name,
            low=place(gap.low),
            mean=place(gap.mean),
            high=place(gap.high),
            label=f"{gap.mean:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}], better for {gap.share_better:.0%}",
        )
        for name, gap in gaps.items()
    ]
    return bars, -least / span


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the report as a table: a heading for each figure, and a row for each group."""

    title: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


def section_of(name: str, rows: Mapping[str, Mapping[str, Any]]) -> Section:
    """The table of one section. A group without a figure has a dash there, never a 0.

    Groups of groups (a day's models) are a row each. Few groups with many figures stand side by side, a line for each
    figure: read on a phone without scrolling.
    """
    if all(isinstance(figures, Mapping) for row in rows.values() for figures in row.values()):
        rows = {f"{group}, {part}": figures for group, row in rows.items() for part, figures in row.items()}
    figures = list(dict.fromkeys(figure for row in rows.values() for figure in row))
    words, title = [figure.replace("_", " ") for figure in figures], name.replace("_", " ").capitalize()
    if len(rows) <= FEW_GROUPS and len(figures) > MANY_FIGURES:
        lines = [(word, [cell(row.get(f)) for row in rows.values()]) for word, f in zip(words, figures, strict=True)]
        return Section(title, list(rows), lines)
    return Section(title, words, [(group, [cell(row.get(f)) for f in figures]) for group, row in rows.items()])


def cell(value: object) -> str:
    """A value of a section in words: numbers to four digits, yes and no, a dash for what is not there.

    >>> [cell(v) for v in (0.25, 3, True, None, "ok", [0.5, None], {"a": 1})]
    ['0.2500', '3', 'yes', '–', 'ok', '0.5000, –', 'a 1']
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {cell(part)}" for name, part in cast("Mapping[str, object]", value).items())
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(part) for part in cast("Sequence[object]", value))
    return str(value)


def render_report(report: Report, served: str) -> str:
    """The whole page as one string of HTML: no script, no style sheet or font to load."""
    bars, zero = difference_bars(report)
    return (
        _templates()
        .get_template("report.html.jinja")
        .render(
            report=report,
            rows=_rows(report),
            losses=report.losses(),
            sections=[section_of(name, rows) for name, rows in report.sections.items() if rows],
            plots={name: calibration_dots(model.calibration) for name, model in report.models.items()},
            bars=bars,
            zero=zero,
            side=SIDE,
            margin=MARGIN,
            served=served,
        )
    )


def render_card(report: Report, card: CardText) -> str:
    """The model card of one served model as Markdown."""
    model = report.models[card.model]
    text = (
        _templates()
        .get_template("card.md.jinja")
        .render(report=report, card=card, model=model, losses=report.losses(card.model), rows=_rows(report))
    )
    return text.rstrip() + "\n"


def _rows(report: Report) -> list[tuple[str, ModelResult]]:
    return sorted(report.models.items(), key=lambda row: row[1].log_loss)


def _number(value: float | None, digits: int = 4) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("osler.evaluate"),
        autoescape=select_autoescape(["html.jinja"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=_number)  # pyright: ignore[reportUnknownMemberType] - Jinja types it as a bare dict
    return environment

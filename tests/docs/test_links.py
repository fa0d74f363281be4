"""Every relative link leads somewhere, and every page is reached from the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.docs.conftest import ROOT, pages

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def links(page: Path) -> list[tuple[str, str]]:
    """(path, anchor) of every relative link outside code."""
    text = CODE.sub("", page.read_text(encoding="utf-8").replace("[`", "[").replace("`]", "]"))
    found = [target.partition("#") for target in LINK.findall(text) if "://" not in target and "mailto:" not in target]
    return [(path, anchor) for path, _, anchor in found]


def anchors(page: Path) -> set[str]:
    """The names that headings of a page can be linked by."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()).strip() for heading in HEADING.findall(text))
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_resolves(page: Path) -> None:
    broken: list[str] = []
    for path, anchor in links(page):
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(f"{path}#{anchor}" if anchor else path)
    assert not broken


def test_every_page_is_reached_from_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    seen, todo = {index}, [index]
    while todo:
        page = todo.pop()
        for path, _ in links(page):
            target = (page.parent / path).resolve()
            if target.suffix == ".md" and target.exists() and target not in seen:
                seen.add(target)
                todo.append(target)
    lost = [str(page.relative_to(ROOT)) for page in sorted((ROOT / "docs").rglob("*.md")) if page not in seen]
    assert not lost, f"no way leads here from docs/README.md: {lost}"


def each(name: str) -> list[str]:
    """The names that `a/{b,c}.py` stands for."""
    found = re.fullmatch(r"(.*)\{(.+)\}(.*)", name)
    if found is None:
        return [name.rstrip("/")]
    before, inside, after = found.groups()
    return [before + part + after for part in inside.split(",")]


def test_a_file_that_a_decision_names_exists() -> None:
    """The section *Files* of a record; globs and names relative to a folder named before are allowed."""
    gone: list[str] = []
    for record in sorted((ROOT / "docs" / "decisions").glob("0*.md")):
        _, _, files = record.read_text(encoding="utf-8").rpartition("## Files")
        named = re.findall(r"`((?:src|tests|docs|tools|web|bench)/[^`]+)`", files)
        gone += [f"{record.name}: {one}" for name in named for one in each(name) if not list(ROOT.glob(one))]
    assert not gone

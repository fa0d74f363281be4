"""What pages show as a file can be used as that file, and the citation names this version."""

from __future__ import annotations

import re
import tomllib

from tests.docs.conftest import ROOT

from osler import __version__
from osler.catalog.curriculum import parse_curriculum


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_curriculum_on_the_page_can_be_loaded() -> None:
    (shown,) = blocks("reference/curriculum.md", "toml")
    curriculum = parse_curriculum(shown.encode())
    assert [exam.exam_id for exam in curriculum.exams] == ["finals"]
    assert "discipline.pharmacology" in {topic.topic_id for topic in curriculum.topics}


def test_the_citation_names_this_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {__version__}\n" in citation
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"] == __version__


def test_commands_on_pages_exist() -> None:
    """`osler …` in shell blocks names a command, and only options that the command has."""
    reference = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    sections = {part.split("`")[1]: part for part in reference.split("\n## ")[1:]}
    wrong: list[str] = []
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for block in re.findall(r"^```sh\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            for line in re.findall(r"^(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(osler [^#|\n]*)", block, re.MULTILINE):
                name = next((known for known in sections if f"{line} ".startswith(f"{known} ")), None)
                options = re.findall(r" (--[a-z-]+)", line)
                if name is None or any(f"`{option}" not in sections[name] for option in options):
                    wrong.append(f"{page.relative_to(ROOT)}: {line}")
    assert not wrong

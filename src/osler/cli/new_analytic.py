"""`osler new-analytic`: a new analytic in this checkout, from a question to a card, whole enough to pass every check.

What is written lies in `scaffold`, as a tree of the paths that it is written to. Five files that list analytics or
revisions get a line each. All of it is made in memory first: a refusal leaves the checkout as it was.
"""

from __future__ import annotations

import hashlib
import json
import keyword
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from osler.errors import Conflict, InvalidInput, Misconfigured

PACKAGE = Path(__file__).resolve().parents[1]
SCAFFOLD = Path(__file__).resolve().parent / "scaffold"
VERSIONS = "src/osler/migrations/versions"
REGISTRY, DIGESTS = "src/osler/analytics/registry.py", "tests/golden/migrations.json"
LONGEST_NAME, LONGEST_QUESTION = 20, 90
VAGUE = frozenset({"utils", "helpers", "manager", "common", "misc", "service"})

LEFT = """
It counts right answers of 28 days: a start that holds every check and does not answer the question yet. What is left:

1. docs/analytics/{name}.md      question, definitions, how to read it, limits, references. First of all.
2. python3 dev.py docs           writes reference, OpenAPI and the dashboard's types; again after every change of these
3. tests/analytics/{name}        a golden test from the source of the formula, a property test
4. model.py, answer.py           pure
5. tables.py and the migration   change both alike until they land; then the digest in tests/golden/migrations.json
6. rollup.py                     or a LiveFold, a Refresh, a Task: osler/analytics/contract.py says which is which
7. queries.py, schemas.py, routes.py
8. its place                     it stands above all others; what others are to build on moves down, in
                                 osler/analytics/registry.py and in pyproject.toml alike
9. web/src/analytics/{name}      show {Name}Card on a page of web/src/pages

Then: python3 dev.py test tests/checks tests/analytics/{name} -k {name}
Before it lands: raise FOLD_VERSION in osler/live/learners.py, so that what was logged before is counted, and run
tests/live/test_old_home.py once with OSLER_WRITE_GOLDEN=1. python3 dev.py check is last."""


NOTE = """## {revision} days of {name}
`{name}_days`, empty until a learner is counted anew. Locks: its own new table. Time: none. Back: drops it.
"""


def command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of its folder: small letters, words joined by _, e.g. streaks.")
    ],
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help='What it answers, e.g. "How steady is the learner?"')
    ],
) -> None:
    """Write a new analytic into this checkout: folder, tests, migration, dashboard card, docs page, and their entries.

    What it writes is a small analytic that works and holds every shared check, to be changed into yours; the end says
    what is left to do. It never overwrites. It needs a checkout of the source: an installed package has no tests,
    docs and dashboard to write to. Exit codes: 0 written, 2 refused, and nothing was written.
    """
    from osler import clock
    from osler.db.history import revisions

    root = checkout()
    check_name(name)
    check_question(question)
    words = words_of(name, question, revisions()[-1])
    check_free(root, words)
    made = written(words, stamp(root, clock.now()))
    entered = entries(root, words, made)
    for path, text in {**made, **entered}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    typer.echo("\n".join([*(f"written  {path}" for path in made), *(f"entered  {path}" for path in entered)]))
    typer.echo(LEFT.format(name=name, Name=words["Name"]))


def checkout() -> Path:
    """The root of the checkout that Osler runs from. Errors: Misconfigured where it runs from an installed package."""
    root = PACKAGE.parents[1]
    wanted = ("pyproject.toml", "CONTRIBUTING.md", DIGESTS)
    if root / "src" / "osler" != PACKAGE or not all((root / file).is_file() for file in wanted):
        raise Misconfigured(
            f"new-analytic writes into a checkout of the source, and this Osler is installed at {PACKAGE}; "
            "clone the repository, run python3 dev.py setup there, then its .venv/bin/osler new-analytic. "
            "From a package of your own, give an Analytic as an entry point of the group osler.analytics"
        )
    return root


def check_name(name: str) -> None:
    """Errors: InvalidInput unless the name can be a module, a table and an address, and says something."""
    if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name) or not 3 <= len(name) <= LONGEST_NAME or keyword.iskeyword(name):
        raise InvalidInput(
            f"{name!r} cannot name an analytic: 3 to {LONGEST_NAME} small letters, words joined by _, e.g. streaks"
        )
    if VAGUE.intersection(name.split("_")):
        raise InvalidInput(f"{name!r} says nothing of the question; name it after what is measured, e.g. streaks")


def check_question(question: str) -> None:
    """Errors: InvalidInput unless it is one short line that asks, without what would end a literal."""
    fits = question.isprintable() and question.endswith("?") and 10 <= len(question) <= LONGEST_QUESTION
    if not fits or question != question.strip() or re.search(r'["\\@*|`]', question):
        raise InvalidInput(
            f"the question is one line of 10 to {LONGEST_QUESTION} characters that ends with a question mark and has "
            'none of "\\@*|`, e.g. "How steady is the learner?"'
        )


def words_of(name: str, question: str, below: str) -> dict[str, str]:
    """What the templates name, in each of its spellings; `below` is the revision that the new one follows."""
    return {
        "name": name,
        "Name": "".join(part.capitalize() for part in name.split("_")),
        "Title": name.replace("_", " ").capitalize(),
        "slug": name.replace("_", "-"),
        "question": question,
        "below": below,
        "revision": f"{int(below) + 1:04d}",
    }


def check_free(root: Path, words: Mapping[str, str]) -> None:
    """Errors: Conflict where a folder, page, address, schema, table or constant of that name is there already."""
    name = words["name"]
    folders = [f"src/osler/analytics/{name}", f"src/osler/analytics/{name}.py", f"tests/analytics/{name}"]
    taken = [path for path in (*folders, f"web/src/analytics/{name}") if (root / path).exists()]
    if (root / "docs" / "analytics" / f"{name}.md").exists():
        taken.append(f"docs/analytics/{name}.md")
    described = (root / "docs/reference/openapi.json").read_text(encoding="utf-8")
    taken += [f"{word} in the API" for word in (f"/api/analytics/{words['slug']}", f"{words['Name']}Answer")
              if f'"{word}"' in described]  # fmt: skip
    registry = (root / REGISTRY).read_text(encoding="utf-8")
    if re.search(rf"\b{name.upper()}\b", registry):
        taken.append(f"{name.upper()} in osler/analytics/registry.py")
    for file in sorted((root / VERSIONS).glob("*.py")):
        if re.search(rf"\btable {name}_days\b", file.read_text(encoding="utf-8"), re.IGNORECASE):
            taken.append(f"table {name}_days in {file.name}")
    if taken:
        raise Conflict(f"there is {taken[0]} already; choose another name, nothing was written")


def stamp(root: Path, now: datetime) -> str:
    """What the file of the revision begins with: the time, or, where that is not after the last one's, a step on."""
    last = max(file.name for file in (root / VERSIONS).glob("[0-9]*.py"))[:15]
    made = f"{now:%Y_%m_%d_%H%M}"
    return made if made > last else f"{last[:11]}{int(last[11:]) + 10:04d}"


def written(words: Mapping[str, str], at: str) -> dict[str, str]:
    """The new files by their path in the checkout, from the templates of the same path."""
    made: dict[str, str] = {}
    for file in sorted(SCAFFOLD.rglob("*.tmpl")):
        path = file.relative_to(SCAFFOLD).as_posix().removesuffix(".tmpl")
        path = path.replace("STAMP", at).replace("NAME", words["name"])
        text = re.sub(r"@(\w+)@", lambda found: words[found[1]], file.read_text(encoding="utf-8"))
        made[path] = sorted_imports(text) if path.endswith(".py") else text
    return made


def sorted_imports(text: str) -> str:
    """The text with each block of imports from Osler in order: where a name stands in it depends on the name."""
    return re.sub(r"(?m)(?:^from osler\.[\w.]+ import .+\n)+", lambda m: "".join(sorted(m[0].splitlines(True))), text)


def entries(root: Path, words: Mapping[str, str], made: Mapping[str, str]) -> dict[str, str]:
    """The five files that get an entry, as they shall be. Errors: Misconfigured where one has no place for it."""
    name, constant = words["name"], words["name"].upper()
    asked = words["question"][0].lower() + words["question"][1:]
    places = (
        (REGISTRY, r"^(from osler\.)", f"from osler.analytics.{name}.analytic import ANALYTIC as {constant}\n", r"\1"),
        (REGISTRY, r"^(SHIPPED: .+ = \(\n(?:    \w+,\n)+)", r"\1", f"    {constant},\n"),
        ("pyproject.toml", r'^(  "\(registry\)",\n  "[^"\n]+)', r"\1", f" | ({name})"),
        ("src/osler/migrations/NOTES.md", r"\Z", "\n", NOTE.format(**words)),
        (
            "docs/README.md",
            r"(\| \[\w+\]\(analytics/.+\n)(?!\|)",
            r"\1",
            f"| [{name}](analytics/{name}.md) | {asked} |\n",
        ),
    )
    entered: dict[str, str] = {}
    for path, place, before, after in places:
        text = entered.get(path) or (root / path).read_text(encoding="utf-8")
        entered[path], n = re.subn(place, before + after, text, count=1, flags=re.MULTILINE)
        if n == 0:
            raise Misconfigured(
                f"{path} has no place for an entry any more; mend it or new-analytic, nothing was written"
            )
    [revision] = [path for path in made if path.startswith(VERSIONS)]
    listed = json.loads((root / DIGESTS).read_text(encoding="utf-8"))
    listed[f"versions/{Path(revision).name}"] = hashlib.sha256(made[revision].encode()).hexdigest()
    entered[DIGESTS] = json.dumps(listed, indent=2, sort_keys=True) + "\n"
    return entered | {REGISTRY: sorted_imports(entered[REGISTRY])}

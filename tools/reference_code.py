"""Reference pages read from code that runs before anything is stored: settings, commands, errors."""

from __future__ import annotations

import ast
import inspect
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "osler"
MANY = 4


def cell(text: object) -> str:
    """Text as it can stand in a cell of a Markdown table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def table(head: list[str], rows: list[list[object]]) -> str:
    """A Markdown table; rows in the order given."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell(value) for value in line) + " |" for line in lines) + "\n"


# ---------------------------------------------------------------- settings


def settings_page() -> str:
    """The text of docs/reference/settings.md."""
    from osler.settings import ENV_PREFIX, Settings

    rows = [
        [f"`{ENV_PREFIX}{name.upper()}`", field.description, _default_of(name, field), _type_of(field.annotation)]
        for name, field in Settings.model_fields.items()
    ]
    return (
        "# Settings\n\nGenerated from `osler/settings.py`; do not edit.\n\n"
        "Each is an environment variable. There is no settings file. An empty variable counts as not set. A "
        "setting that\n"
        "cannot work stops the program with one line that names the variable and never its value; exit code 2.\n\n"
        "In the profile `production` Osler needs `OSLER_ISSUER` and `OSLER_JWKS_URL` (https), and refuses the "
        "local issuer.\n"
        "`OSLER_FAILPOINT` and `OSLER_EMBEDDED_FSYNC=false` are refused outside the profile `test`.\n\n"
        + table(["variable", "meaning", "default", "value"], rows)
    )


def _default_of(name: str, field: Any) -> str:
    if name == "home":
        return "`~/.osler`"
    if field.default is None or field.default == ():
        return "not set"
    return f"`{field.default.value if hasattr(field.default, 'value') else field.default}`"


def _type_of(annotation: object) -> str:
    said = str(annotation)
    for word, meaning in {
        "SecretStr": "URL, secret",
        "Path": "path",
        "Profile": "local · production · test",
        "tuple": "list, with commas",
        "bool": "true or false",
        "int": "whole number",
        "float": "number",
    }.items():
        if word in said:
            return meaning
    return "text"


# ---------------------------------------------------------------- commands


def cli_page() -> str:
    """The text of docs/reference/cli.md."""
    import typer

    from osler.cli.main import app

    root: Any = typer.main.get_command(app)
    parts = [
        "# Commands\n\nGenerated from `osler/cli`; do not edit. Each command also has `--help`.\n",
        "An error that Osler raises on purpose is one line on standard error and exit code 2; Ctrl-C ends with 130.\n"
        "Commands that hand over to a reader have `--json`: one JSON object on standard output.\n",
    ]
    parts += [_command(name, command) for name, command in commands(root, "osler")]
    return "\n".join(parts)


def commands(group: Any, path: str) -> list[tuple[str, Any]]:
    """Every command below a group with the words that call it, in the order of `--help`."""
    found: list[tuple[str, Any]] = []
    for name, command in group.commands.items():
        words = f"{path} {name}"
        found += commands(command, words) if hasattr(command, "commands") else [(words, command)]
    return found


def _command(words: str, command: Any) -> str:
    parameters = [one for one in command.params if not one.hidden]
    arguments = [one for one in parameters if one.param_type_name == "argument"]
    options = ["[OPTIONS]"] if len(parameters) > len(arguments) else []
    usage = " ".join([words, *(_usage(one) for one in arguments), *options])
    parts = [f"## `{words}`\n", f"    {usage}\n", inspect.cleandoc(command.help or "") + "\n"]
    if parameters:
        rows: list[list[object]] = [[_names(one), one.help or "", _shown_default(one)] for one in parameters]
        parts.append(table(["option", "meaning", "default"], rows))
    return "\n".join(parts)


def _usage(argument: Any) -> str:
    name = (argument.metavar or argument.name).upper()
    return name if argument.required else f"[{name}]"


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{(parameter.metavar or parameter.name).upper()}`"
    value = "" if parameter.is_flag else f" {parameter.metavar or _value_of(parameter)}"
    names = [*parameter.opts, *parameter.secondary_opts]
    return " · ".join(f"`{name}{value}`" for name in names)


def _value_of(parameter: Any) -> str:
    annotation = parameter.type_descriptor.annotation
    members = getattr(annotation, "__members__", None)
    return "/".join(one.value for one in members.values()) if members else annotation.__name__.upper()


def _shown_default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if parameter.default in (None, [], ()):
        return ""
    if parameter.is_flag:
        return ("on" if parameter.default else "off") if parameter.secondary_opts else ""
    return f"`{parameter.default}`"


# ---------------------------------------------------------------- errors


@dataclass
class Problem:
    """One code as it is raised in the source."""

    classes: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)


def errors_page() -> str:
    """The text of docs/reference/errors.md."""
    from osler import errors
    from osler.domain.outcomes import Code, Warn
    from osler.http.problems import CODES, VALIDATION_CODES

    tree = (errors.__doc__ or "").split("\n\n")[1]
    found, classes = problems()
    rows: list[list[object]] = [
        [f"`{code}`", _statuses(problem, classes), _said(problem, classes), _modules(problem)]
        for code, problem in sorted(found.items())
    ]
    plain: list[list[object]] = [[status, f"`{code}`"] for status, code in sorted(CODES.items())]
    fields = ", ".join(f"`{code}`" for code in sorted({*VALIDATION_CODES.values(), "schema.type"}))
    events: list[list[object]] = [[f"`{c.value}`", c.status.value, c.text, c.retry_after_seconds or ""] for c in Code]
    return "\n".join(
        [
            "# Errors\n\nGenerated from `osler/errors.py`, the places that raise, and "
            "`osler/domain/outcomes.py`; do not edit.\n",
            "## On the wire\n",
            "A failure is `application/problem+json` (RFC 9457): `type` (always `about:blank`: which problem it is "
            "stands in\n`code`, and what each means stands below), `title` (the status in words),\n"
            "`status`, `code`, `detail` (a sentence that never repeats input), `request_id`, and where it helps "
            "`params` or\n"
            "`errors`. 429 and 503 carry `Retry-After`, 401 carries `WWW-Authenticate`. Status 500 always has "
            "the code\n"
            "`internal` and no detail: what is behind it stands in the log under the request id.\n",
            "## The tree\n\n```\n" + tree + "\n```\n",
            "## Codes\n\n`{…}` stands for a value. The command line prints the sentence and ends with 2. A code "
            "with status 500\n"
            "is seen on the command line and in the log alone.\n",
            table(["code", "status", "sentence", "raised in"], rows),
            "## Where only a status is known\n\nThe framework's own failures get these codes.\n",
            table(["status", "code"], plain),
            f"A body or a parameter that does not fit is `schema.invalid` with `errors`, whose codes are {fields}.\n",
            "## Events\n\nThe answer to one event carries one of these; [events](events.md) has the types.\n",
            table(["code", "status", "sentence", "try again after, s"], events),
            "A stored event may carry warnings: " + ", ".join(f"`{w.value}`" for w in Warn) + ".\n",
        ]
    )


def _said(problem: Problem, classes: dict[str, ErrorClass]) -> str:
    """The sentences; a code with many of them is told by its class."""
    if 0 < len(problem.texts) <= MANY:
        return " · ".join(sorted(problem.texts))
    told = " ".join(classes[name].text for name in sorted(problem.classes))
    return f"{told} {len(problem.texts)} sentences, each naming what to change." if problem.texts else told


def _modules(problem: Problem) -> str:
    """Where it is raised: modules, or packages where they are many."""
    names = sorted(problem.modules)
    if len(names) > MANY:
        names = sorted({".".join(name.split(".")[:2]) for name in names})
    return ", ".join(f"`{name}`" for name in names)


def _statuses(problem: Problem, classes: dict[str, ErrorClass]) -> str:
    return ", ".join(sorted({str(classes[name].status) for name in problem.classes}))


@dataclass
class ErrorClass:
    """What a class of the tree says of itself."""

    status: int
    code: str
    text: str


def problems() -> tuple[dict[str, Problem], dict[str, ErrorClass]]:
    """Every code that the source can raise, and the classes that carry them; read from the syntax, nothing is run."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(SOURCE.rglob("*.py"))}
    classes = _classes(trees)
    found: dict[str, Problem] = defaultdict(Problem)
    for path, tree in trees.items():
        module = ".".join(("osler", *path.relative_to(SOURCE).with_suffix("").parts))
        messages = _messages(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (name := _called(node)) in classes:
                _note(found, node, (name, classes[name], module), messages)
    for name, known in classes.items():  # a class with a code of its own may be raised with that alone
        if known.code not in found:
            found[known.code] = Problem({name}, {known.text}, set())
    return dict(found), classes


Raised = tuple[str, "ErrorClass", str]


def _note(found: dict[str, Problem], node: ast.Call, raised: Raised, messages: list[tuple[int, str]]) -> None:
    name, known, module = raised
    given = next((word.value for word in node.keywords if word.arg == "code"), None)
    if given is not None and not isinstance(given, ast.Constant):
        return  # the code of an event, handed on
    code = str(given.value) if isinstance(given, ast.Constant) else known.code
    problem = found[code]
    problem.classes.add(name)
    problem.modules.add(module)
    text = _sentence(node.args[0]) if node.args else ""
    if not text and node.args and isinstance(node.args[0], ast.Name):
        before = [said for line, said in messages if line <= node.lineno]
        text = before[-1] if before and node.args[0].id == "msg" else ""
    if text:
        problem.texts.add(text)


def _messages(tree: ast.Module) -> list[tuple[int, str]]:
    """Every `msg = "…"` with its line, in order: the sentence of the error that is raised below it."""
    return sorted(
        (node.lineno, _sentence(node.value))
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "msg"
    )


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _sentence(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{…}" for part in node.values)
    return ""


def _classes(trees: dict[Path, ast.Module]) -> dict[str, ErrorClass]:
    declared = {node.name: node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    known: dict[str, ErrorClass] = {}

    def look(name: str) -> ErrorClass | None:
        node = declared.get(name)
        if name in known or node is None:
            return known.get(name)
        bases = [look(base.id) for base in node.bases if isinstance(base, ast.Name) and base.id != name]
        parent = next((base for base in bases if base is not None), None)
        if parent is None and name != "OslerError":
            return None
        said = _assigned(node)
        known[name] = ErrorClass(
            int(str(said.get("status", parent.status if parent else 500))),
            str(said.get("default_code", parent.code if parent else "osler.error")),
            (ast.get_docstring(node) or "").split("\n")[0],
        )
        return known[name]

    for name in sorted(declared):
        look(name)
    return known


def _assigned(node: ast.ClassDef) -> dict[str, object]:
    said: dict[str, object] = {}
    for line in node.body:
        if not isinstance(line, (ast.Assign, ast.AnnAssign)) or not isinstance(line.value, ast.Constant):
            continue
        target = line.targets[0] if isinstance(line, ast.Assign) else line.target
        if isinstance(target, ast.Name):
            said[target.id] = line.value.value
    return said

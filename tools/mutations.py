"""Does the suite turn red when a guard is gone? Each is taken out of a scratch copy, and its tests are run.

    python3 dev.py faults --mutations [-k PATTERN]

A row that stays green without its guard has tested nothing. The tests are run once with every guard in place first.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPEND = "src/osler/migrations/sql/0015_append_events.sql"
LOG = "src/osler/migrations/versions/2026_11_22_1030_event_log.py"
RACES, IDENTITY, COHORT, POLICY = (
    f"tests/faults/test_{name}.py" for name in ("e_races", "e_identity", "p_cohort", "a_policy")
)
OLD_HOME = "tests/live/test_old_home.py::test_r03_an_old_home"
FAILED, OK = 1, 0


@dataclass(frozen=True)
class Mutation:
    """A guard: where it is, what is put in its place, and the tests that must fail then."""

    guard: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTATIONS = (
    Mutation(
        "tombstone",
        APPEND,
        "join tombstones t on t.subject_mac = s.mac;",
        "join tombstones t on t.subject_mac = s.mac and false;",
        (f"{IDENTITY}::test_e14_an_erased_person_sends_nothing_any_more", f"{RACES}::test_e15_a_writer_that_waited"),
    ),
    Mutation(
        "advisory lock",
        APPEND,
        "  perform pg_advisory_xact_lock_shared(1, s.b) from",
        "  perform s.b from",
        (f"{RACES}::test_e15_erasure_racing", f"{RACES}::test_e15_a_writer_that_waited"),
    ),
    Mutation(
        "tombstone test in a statement of its own",
        APPEND,
        "  select array_agg(s.user_id) into erased\n",
        "  select array_agg(s.user_id) into erased from unnest(p_subjects, p_macs) as s(user_id, mac) where false;\n"
        "  select array_agg(s.user_id) into v_shut\n",
        (f"{RACES}::test_e15_a_writer_that_waited",),
    ),
    Mutation(
        "marks are appended, never DO NOTHING on a key",
        APPEND,
        "    select d.user_id, c, d.local_date, p_batch, d.n, d.oldest\n",
        "    select d.user_id, c, d.local_date, '00000000-0000-0000-0000-000000000000'::uuid, d.n, d.oldest\n",
        (f"{RACES}::test_e23_", f"{RACES}::test_e24_"),
    ),
    Mutation(
        "fence",
        "src/osler/jobs/leases.py",
        "    if await s.scalar(_HOLD, _key(token)) is None:\n",
        "    if await s.scalar(_HOLD, _key(token)) is None and not token.job:\n",
        ("tests/jobs/test_run.py::test_f17_a_paused_run",),
    ),
    Mutation(
        "suppression under the minimum",
        "src/osler/science/disclosure.py",
        '    if len(contributions) < gate.minimum:\n        return "minimum"\n',
        "",
        (f"{COHORT}::test_p08_under_ten",),
    ),
    Mutation(
        "suppression of complements",
        "src/osler/science/disclosure.py",
        "    while concealed and shown:\n",
        "    while concealed and shown and not concealed:\n",
        (f"{COHORT}::test_p08_a_hidden_cell",),
    ),
    Mutation(
        "hash compare",
        "src/osler/ingest/storing.py",
        "if stored == entry.content_hash else",
        "if stored else",
        (f"{IDENTITY}::test_e02_the_same_id",),
    ),
    Mutation(
        "trigger of the log",
        LOG,
        '    "alter table {table} enable always trigger {table}_rows",\n',
        "",
        ("tests/eventlog/test_roles.py::test_even_a_superuser",),
    ),
    Mutation(
        "retention's day of grace",
        "src/osler/privacy/retention.py",
        "GRACE = timedelta(days=1)\n",
        "GRACE = timedelta(days=-9)\n",
        ("tests/privacy/test_retention.py::test_p22_", "tests/privacy/test_retention.py::test_the_cutoff"),
    ),
    Mutation(
        "counts of a month before it leaves the log",
        "src/osler/worker/housekeeping.py",
        "        await drain_counts(database, analytics)  #",
        "        _ = drain_counts  #",
        ("tests/privacy/test_retention.py::test_p22_the_job",),
    ),
    Mutation(
        "older folds are counted anew",
        "src/osler/live/catch_up.py",
        "        if row.is_outdated:",
        "        if row.is_outdated and not version:",
        (OLD_HOME,),
    ),
    Mutation(
        "a checkpoint of before is put back under later columns",
        "src/osler/live/restoring.py",
        "for column in table.columns if column.name in kept]",
        "for column in table.columns]",
        (OLD_HOME,),
    ),
    Mutation(
        "tag of a kept answer",
        "src/osler/http/cache/entry.py",
        "    if not compare_digest(sealed.tag.encode(), _tag(key, sealed.generation, sealed.v, secret).encode()):",
        "    if not compare_digest(sealed.tag.encode(), sealed.tag.encode()):",
        ("tests/faults/test_f_cache.py::test_f11_", "tests/http/test_cache.py::test_f11_"),
    ),
    Mutation(
        "claims that a token must have",
        "src/osler/http/tokens.py",
        'options={"require": list(REQUIRED_CLAIMS)}',
        'options={"require": list(REQUIRED_CLAIMS)[:0]}',
        ("tests/faults/test_a_tokens.py::test_a02_stale",),
    ),
    Mutation(
        "table of policy",
        "src/osler/http/scope.py",
        "        if reach is Reach.NONE:",
        "        if reach is Reach.NONE and not principal.roles:",
        (f"{POLICY}::test_i11_every_cell",),
    ),
    Mutation(
        "audit of a look at another person",
        "src/osler/http/scope.py",
        "self.entry(is_allowed=True))\n                yield session\n",
        "self.entry(is_allowed=True)) if self.is_own else None\n                yield session\n",
        (f"{POLICY}::test_p13_", "tests/faults/test_p_people.py::test_p13_"),
    ),
    Mutation(
        "signature of a model file",
        "src/osler/forecasts/signing.py",
        "    if not any(_is_signed_by(key, signature, signed) for key in keys):",
        "    if not [_is_signed_by(key, signature, signed) for key in keys]:",
        ("tests/faults/test_p_models.py::test_p18_a_file",),
    ),
    Mutation(
        "formulas in a spreadsheet",
        "src/osler/privacy/cells.py",
        "if text.startswith(STARTS_A_FORMULA) else text",
        "if text.startswith(STARTS_A_FORMULA) and not text else text",
        ("tests/privacy/test_cells.py::test_h15_",),
    ),
    Mutation(
        "limit of an unpacked body",
        "src/osler/ingest/body.py",
        "    limit = min(MAX_BODY_BYTES, max(len(packed) * MAX_RATIO, _SMALL))",
        "    limit = MAX_BODY_BYTES * 1000 + 0 * (MAX_RATIO + _SMALL)",
        ("tests/faults/test_h_events.py::test_h08_",),
    ),
    Mutation(
        "messages of error reports",
        "src/osler/observe/reports.py",
        '        raised["value"] = redacted(str(raised.get("type", "")))',
        '        raised["value"] = redacted and raised.get("value")',
        ("tests/faults/test_p_secrets.py::test_p17_", "tests/observe/test_logs.py::test_p17_"),
    ),
    Mutation(
        "TLS 1.3 to PostgreSQL",
        "src/osler/db/connect.py",
        "    return postgres_with_newest_tls(",
        "    return (postgres_with_newest_tls and str)(",
        ("tests/faults/test_a_transport.py::test_a18_databases",),
    ),
    Mutation(
        "what cannot be seen in a name",
        "src/osler/catalog/curriculum.py",
        "if is_unseen(sign)), None)",
        "if is_unseen(sign) and not sign), None)",
        ("tests/catalog/test_curriculum.py::test_h12_a_name",),
    ),
)
"""What replaces a guard keeps the file valid: a scratch copy that cannot be imported would be red for nothing."""


def main(pattern: str | None) -> int:
    """Run them; 0 when the suite is green with every guard and red without each."""
    chosen = [each for each in MUTATIONS if pattern is None or pattern in each.guard]
    with tempfile.TemporaryDirectory(prefix="osler-mutations-") as name:
        copy = Path(name) / "osler"
        for part in ("src", "tests", "deploy", "pyproject.toml"):
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / part)
        whole, _ = _run(copy, tuple(test for each in chosen for test in each.tests))
        print(f"{'every guard in place':<48}{'green' if whole == OK else 'NOT GREEN'}", flush=True)
        good = whole == OK
        for each in chosen:
            good &= _is_red_without(copy, each)
    return 0 if good else 1


def _is_red_without(copy: Path, mutation: Mutation) -> bool:
    path = copy / mutation.file
    original = path.read_text()
    if original.count(mutation.old) != 1:
        print(f"{mutation.guard:<48}UNKNOWN: the guard is not where it was in {mutation.file}", flush=True)
        return False
    path.write_text(original.replace(mutation.old, mutation.new))
    try:
        code, said = _run(copy, mutation.tests)
    finally:
        path.write_text(original)
    is_red = code == FAILED and "FAILED" in said
    print(
        f"{mutation.guard:<48}{'red, as it must be' if is_red else f'STAYS GREEN, or broken otherwise ({code})'}",
        flush=True,
    )
    return is_red


def _run(copy: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Only the tests whose names begin so: a part of a name is enough."""
    files = sorted({test.split("::")[0] for test in tests})
    names = " or ".join(sorted({test.split("::")[1] for test in tests}))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files, "-k", names]
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=copy, env=environment, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout

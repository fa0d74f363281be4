"""The same data and seed give the same exam report but for its time, whatever the hash seed and the threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.evaluate import test_exam, test_exam_log, test_exam_snapshots, test_item_response

REPOSITORY = Path(__file__).parents[2]
RUN = """
import json, sys
from pathlib import Path
from osler.evaluate import exam, exam_training
from osler.evaluate.protocol import silent
exam.DAYS = (30,)
exam_training.TREES = 10
for path, seed in [(path, 3) for path in map(Path, sys.argv[1:])] + [(Path(sys.argv[1]), 4)]:
    report = exam.TASK.run(path, as_of=None, baselines=None, progress=silent, seed=seed).to_json()
    report.pop("wall_seconds")
    print(json.dumps(report))
"""


def reports(paths, *, hash_seed, threads):
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    env = {**os.environ, "PYTHONHASHSEED": str(hash_seed), **dict.fromkeys(names, str(threads))}
    done = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, paths)],
        env=env,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """One of each kind that the task reads: item responses, courses, snapshots, a log."""
    folder = tmp_path_factory.mktemp("records")
    course = folder / "course"
    course.mkdir()
    return [
        test_item_response.write(folder / "test_scored.csv", tells=True),
        test_exam.write_course(course, learners=40),
        test_exam_snapshots.write(folder / "exams.csv", 200),
        test_exam_log.write(folder / "log.jsonl", 12),
    ]


def test_a_report_depends_on_data_and_seed_alone(records):
    one, two = reports(records, hash_seed=1, threads=1), reports(records, hash_seed=77, threads=3)
    assert len(one) == len(records) + 1
    for first, second in zip(one, two, strict=True):
        assert first == second
    assert one[0]["models"]["osler"]["ci"] != one[-1]["models"]["osler"]["ci"], "another seed, another bootstrap"

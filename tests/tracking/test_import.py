"""What a host pays for `import osler.tracking`: little time, and none of the heavy parts."""

import subprocess
import sys
from pathlib import Path

CODE = """
import time
began = time.process_time()
import osler.tracking
took = time.process_time() - began
import sys
heavy = ("numpy", "scipy", "pandas", "sqlalchemy", "asyncpg", "fastapi", "starlette", "httpx", "pydantic", "redis",
         "osler.db", "osler.science", "osler.ingest", "osler.settings")
print(took, [name for name in heavy if name in sys.modules])
"""


def test_it_takes_under_a_fifth_of_a_second_and_loads_nothing_heavy():
    took: list[float] = []
    for _ in range(3):
        out = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True, timeout=60)
        seconds, _, heavy = out.stdout.strip().partition(" ")
        assert heavy == "[]"
        took.append(float(seconds))
    assert min(took) < 0.2, took  # the least of three: what the import costs, without what else the machine does


def test_the_typed_functions_are_those_of_the_declared_types():
    root = Path(__file__).resolve().parents[2]
    made = subprocess.run(
        [sys.executable, "-c", "import generate_tracking; print(generate_tracking.render(), end='')"],
        cwd=root / "tools", capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    assert made == (root / "src/osler/tracking/events.py").read_text()

"""What docs/scaling.md tells an operator to do, and how it is written."""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.program import free_port
from deploy.servers import Postgres, Site
from tests.load.documents import filled
from tests.load.driving import Driving
from tests.load.job import Account
from tests.load.scaling import DOCUMENT
from tests.load.scaling_format import number, size
from tests.load.scaling_measure import Measured
from tests.load.scaling_runs import Trial
from tests.load.scaling_simulate import Simulated
from tests.load.scaling_sums import Assumptions, Plan, Sums
from tests.load.scaling_tables import Report, parts
from tests.load.simulation import Costs, Outcome, Pace, Take
from tests.load.workbench import SETTINGS, Contender, make, program

_BEGIN = re.compile(r"<!-- begin: (\w+) -->")
_SQL = re.compile(r"```sql\n(.*?)```", re.DOTALL)


def test_marked_parts_are_written_anew() -> None:
    text = "a\n<!-- begin: one -->\nold\n<!-- end: one -->\nb\n"
    new = filled(text, {"one": "new"})
    assert new == "a\n<!-- begin: one -->\nnew\n<!-- end: one -->\nb\n"
    assert filled(new, {"one": "new"}) == new


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1,234"), (42.4, "42"), (4.2, "4.2"), (0.123, "0.12"), (0.0123, "0.012"), (0, "0")],
)
def test_number_has_two_digits_or_more(value: float, text: str) -> None:
    assert number(value) == text


def test_size_has_a_unit() -> None:
    assert [size(1), size(1_500), size(2e13)] == ["1 B", "1.5 kB", "20 TB"]


@pytest.fixture
def report() -> Report:
    """What costs 1 ms each, or 1 byte, and a plan of one cell that is not simulated."""
    costs = Costs(1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-6, prompts=[1e-3])
    units: dict[str, float] = defaultdict(lambda: 1e-3)
    trial = Trial("here", 1, [Take(0.0, [0.5])], 1.0, [0.01], (0.1, 0.1), 0)
    measured = Measured(costs, units, [trial])
    sums = Sums(measured, Assumptions(), Pace(0.01, 1 / 30, 0.25, 0.2, 1.0))
    simulated = Simulated(Plan(2, 3, 0.4), 0.1, [Outcome(1.0, [0.01], [0.4, 0.5, 0.6])])
    return Report("Measured today.", measured, sums, [simulated], simulated)


def test_page_has_a_place_for_every_table(report: Report) -> None:
    page = DOCUMENT.read_text(encoding="utf-8")
    assert _BEGIN.findall(page) == list(parts(report))


def test_rows_of_a_table_have_as_many_columns(report: Report) -> None:
    for part in parts(report).values():
        lines = [line for line in part.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) <= 1


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL, which runs as an account of its own, can reach."""
    with tempfile.TemporaryDirectory(prefix="chat-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_log_is_partitioned_as_the_page_says(folder: Path) -> None:
    """Answers go on being written, and a partition is dropped, by the very words of the page."""
    partition, drop = _SQL.findall(DOCUMENT.read_text(encoding="utf-8"))
    port = free_port()
    with (
        Postgres(folder / "postgres") as postgres,
        program("upstream", folder, port),
        psycopg.connect(postgres.url, autocommit=True) as database,
    ):
        settings = {
            **SETTINGS,
            "DEBUG": "on",
            "SECRET_KEY": "of this test alone, which nobody else has to know of",
            "DATABASE_URL": postgres.url,
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}",
        }
        site = Site("site", folder, settings)
        site.manage("migrate", "--verbosity=0")
        accounts = [Account(*each) for each in make(site, "accounts", 2)]
        with site:
            contender = Contender([site], [site.port], accounts)
            for statements in (partition, drop):
                with Driving(contender.job(1, deltas=3, per_s=100)) as driving:
                    assert driving.run().complete == 1
                database.execute(statements)
        row = database.execute("SELECT count(*) FROM chat_event").fetchone()
        assert row == (0,)

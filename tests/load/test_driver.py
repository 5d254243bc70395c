"""That the benchmark measures what it says, with a few deltas: `make bench` runs it whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import pytest

from deploy.program import free_port
from tests.load.driving import Driving
from tests.load.job import Account, Way
from tests.load.stamps import CHARS, PLACE
from tests.load.texts import DELTA_CHARS, KINDS, Kind, pieces
from tests.load.workbench import Contender, make, program
from tests.site_process import SiteProcess

READERS, DELTAS = 2, 20


@pytest.fixture(scope="module")
def contenders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[Way, Contender]]:
    """A site and the bare relay, with the model server behind both."""
    folder: Path = tmp_path_factory.mktemp("bench")
    port, relay_port = free_port(), free_port()
    environment = {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}"}
    with (
        program("upstream", folder, port),
        program("bare_relay", folder, relay_port, port) as relay,
        SiteProcess(folder, environment) as site,
    ):
        accounts = [Account(*each) for each in make(site, "accounts", 3 * READERS)]
        of_site = Contender([site], [site.port], accounts)
        of_relay = Contender([relay], [relay_port], [], "bare")
        yield {"page": of_site, "api": of_site, "bare": of_relay}


@pytest.mark.parametrize("way", get_args(Way))
def test_driver_reads_whole_answers(contenders: Mapping[Way, Contender], way: Way) -> None:
    job = contenders[way].job(READERS, way=way, deltas=DELTAS, per_s=100, watched=[])
    with Driving(job) as driving:
        result = driving.run()
    assert result.complete == READERS, result.errors
    assert len(result.delays_us) == READERS * DELTAS


def test_driver_stops_answers(contenders: Mapping[Way, Contender]) -> None:
    job = contenders["page"].job(READERS, deltas=1_000, per_s=100, stop_after=5)
    with Driving(job) as driving:
        result = driving.run()
    assert len(result.stopped_us) == READERS and not result.errors
    assert result.stamps < READERS * 500


@pytest.mark.parametrize("kind", KINDS)
def test_deltas_are_short(kind: Kind) -> None:
    sizes = [len(piece.replace(PLACE, "q" * CHARS)) for piece in pieces(kind)]
    assert max(sizes) <= DELTA_CHARS

"""Large texts, and an answer of 20 MB."""

from __future__ import annotations

from chat.demo.steps import Text
from tests.faults.people import Person, Send
from tests.faults.place import Place
from tests.faults.records import FINAL
from tests.faults.waiting import until
from tests.integration.answers import prompt

SIZE_BYTES = 20_000_000
DELTAS = 200
ENDED_S = 180.0  # until it is written, however busy the machine is
POLL_S = 0.2
LINE = "In a large text stand <many> words, “quotes” & Wörter; and then comes the next line.\n"


def lines(size_bytes: int) -> str:
    """Return a text of so many bytes, up to the end of its last line."""
    return LINE * (size_bytes // len(LINE.encode()) + 1)


async def send(place: Place, person: Person, lasts_s: float) -> tuple[Send, str]:
    """Have an answer of 20 MB written in some time; return its prompt and its text."""
    piece = lines(SIZE_BYTES // DELTAS)
    place.model.script("volume", Text([piece] * DELTAS, interval_s=lasts_s / DELTAS))
    sent = await person.ask(place.sites[0].base_url, prompt("volume"))
    return sent, piece * DELTAS


async def until_final(place: Place, path: str) -> None:
    """Wait until an answer has ended; its text is too long to be read again and again."""
    sql = f"SELECT status FROM chat_generation WHERE id = {place.records.newest(path).id}"  # noqa: S608
    await until(lambda: place.records.query(sql)[0][0] in FINAL, ENDED_S, poll_s=POLL_S)

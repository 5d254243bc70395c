"""The checker of what must always hold, read from three sides.

What people sent and saw, what the model server was asked and sent, what the database holds. Its
messages begin with the number of what does not hold:

I1   a prompt that was taken is stored once, to the letter
I2   it has one answer, and that reaches a final status
I3   what anybody was shown is how the stored text begins, or a render of that
I4   what is stored is how the text begins that was sent, and all of it where it is complete
I5   the numbers of a log have no gap, and no reader goes back
I6   a generation has one end, the same in the log, in its row and on each page
I7   Claude is asked at most three times, and never again after the first content
I8   when it is over, the page that was open equals one that is loaded then
I11  no log holds what somebody wrote, a key or a cookie, and each failure has its line
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

from chat.demo.records import RequestRecord
from chat.demo.thread import DemoThread
from chat.render import Renderer
from chat.words import clean
from tests.faults.people import Person
from tests.faults.place import Place
from tests.faults.records import FINAL, Row, text_of
from tests.faults.tab import NOT_ALLOWED, Tab
from tests.integration.answers import prompt_in
from tests.integration.shown_page import ShownPage
from tests.unit.rendered_page import RenderedPage

MAX_CALLS = 3  # one and two retries


class History:
    """What one test did, to be checked when it is over.

    Args:
        texts: what Claude sends in all to each prompt, where the test knows it.
    """

    def __init__(
        self, place: Place, people: Sequence[Person], tabs: Sequence[Tab], texts: Mapping[str, str]
    ) -> None:
        self.place = place
        self.people = people
        self.tabs = tabs
        self.texts = texts
        paths = {send.path for person in people for send in person.sends if send.path}
        self.rows = place.records.generations(*paths) if paths else []
        self.by_message: dict[int, list[Row]] = {}
        for row in self.rows:
            self.by_message.setdefault(row.message_id, []).append(row)

    async def check(self, *, is_upstream_cut: bool = False) -> None:
        """Raise AssertionError with the promise's number for the first that does not hold.

        Args:
            is_upstream_cut: whether what the model server sent may have been lost on its way.
        """
        self._check_prompts()
        self._check_statuses()
        self._check_logs()
        self._check_shown()
        self._check_texts()
        self._check_calls(is_upstream_cut=is_upstream_cut)
        for tab in self.tabs:
            self._check_positions(tab)
            self._check_endings(tab)
            await self._check_fresh_page(tab)
        self._check_sites_logs()

    def _check_prompts(self) -> None:
        for person in self.people:
            stored = Counter(
                text
                for path in {send.path for send in person.sends if send.path}
                for text in self.place.records.prompts(path)
            )
            for send in person.sends:
                if send.is_acknowledged:
                    assert stored[clean(send.text)] == 1, f"I1: {stored[send.text]} of a prompt"

    def _check_statuses(self) -> None:
        for row in self.rows:
            assert row.status in FINAL, f"I2: generation {row.id} is {row.status}"
        first = Counter(rows[0].prompt for rows in self.by_message.values())
        retries = sum((person.retries for person in self.people), Counter())
        for prompt, answers in first.items():
            expected = 1 + retries[prompt]
            assert answers == expected, f"I2: {answers} answers, not {expected}: {prompt[:40]!r}"

    def _check_logs(self) -> None:
        for message_id, rows in self.by_message.items():
            whole = ""
            for row in rows:
                events = self.place.records.events(row.id)
                seqs = [event.seq for event in events]
                assert seqs == list(range(1, len(seqs) + 1)), f"I5: {row.id} has {seqs[-5:]}"
                finals = [event.data for event in events if event.kind == "final"]
                expected = [{"status": row.status, "error_code": row.error_code}]
                assert finals == expected, f"I6: {row.id}: {finals} beside {expected}"
                kinds = [event.kind for event in events]
                begun_at = kinds.index("content_block_start") if text_of(events) else len(kinds)
                assert "request" not in kinds[begun_at:], f"I7: {row.id} was asked for again"
                whole += text_of(events)
            stored = rows[-1].text
            assert whole == stored, f"I6: the log of message {message_id} and its text differ"

    def _check_shown(self) -> None:
        stored = {row.message_id: row.text for row in self.rows}
        for tab in self.tabs:
            for shown in tab.seen:
                whole = stored.get(shown.message_id, "")
                seen = _without_space(shown.text)
                assert _without_space(whole).startswith(seen) or seen in _pages_of(whole), (
                    f"I3: message {shown.message_id} had shown {seen[-80:]!r}, "
                    f"and ends {whole[-80:]!r}"
                )

    def _check_texts(self) -> None:
        for rows in self.by_message.values():
            newest = rows[-1]
            sent = self.texts.get(newest.prompt)
            if sent is None or len(rows) > 1:
                continue
            assert clean(sent).startswith(newest.text), f"I4: {newest.id} holds what nobody sent"
            if newest.status == "complete":
                assert newest.text == clean(sent), f"I4: {newest.id} is not whole"

    def _check_calls(self, *, is_upstream_cut: bool) -> None:
        for prompt, records in calls_by_prompt(self.place.model).items():
            answers = [row for row in self.rows if row.prompt == prompt]
            if not answers:
                continue
            generations = len(answers)
            assert len(records) <= MAX_CALLS * generations, f"I7: {len(records)} calls"
            if is_upstream_cut:
                continue
            paid = [record for record in records if record.events_sent > 2]
            assert len(paid) <= generations, f"I7: {len(paid)} paid answers for {generations}"

    def _check_positions(self, tab: Tab) -> None:
        last: dict[tuple[int, int], int] = {}
        for connection, generation_id, seq in tab.positions:
            before = last.get((connection, generation_id), 0)
            assert seq >= before, f"I5: after {before} came {seq}"
            last[connection, generation_id] = seq

    def _check_endings(self, tab: Tab) -> None:
        for generation_id, count in tab.endings.items():
            assert count == 1, f"I6: the end of {generation_id} came {count} times"

    async def _check_fresh_page(self, tab: Tab) -> None:
        if NOT_ALLOWED in tab.close_codes:
            return  # Its person may not read it any more.
        response = await tab.person.get(tab.base_url, tab.path)
        fresh = ShownPage(response.text)
        live_ids = tab.page.message_ids
        assert live_ids == fresh.message_ids, f"I8: {live_ids}, afresh {fresh.message_ids}"
        for message_id in live_ids:
            live = tab.page.article(message_id).markup()
            afresh = fresh.article(message_id).markup()
            pairs = enumerate(zip(live, afresh, strict=False))
            same = next((at for at, (one, other) in pairs if one != other), 0)
            assert live == afresh, (
                f"I8: message {message_id} has {live[same : same + 200]!r} at {same}, "
                f"afresh {afresh[same : same + 200]!r}"
            )

    def _check_sites_logs(self) -> None:
        log = self.place.log_text()
        secrets = [person.session_key for person in self.people]
        for secret in (*secrets, "sk-ant-of-the-tests"):
            assert secret not in log, "I11: a key or cookie stands in the log"
        for row in self.rows:
            # A word that only the prompts of the tests hold.
            assert row.prompt not in log, "I11: a prompt stands in the log"
            if len(row.text) > 40:
                assert row.text[:40] not in log, "I11: an answer stands in the log"
            if row.status in ("failed", "interrupted"):
                assert row.error_code in log, (
                    f"I11: no line for {row.id}, {row.status} ({row.error_code})"
                )


def calls_by_prompt(model: DemoThread) -> dict[str, list[RequestRecord]]:
    """Return the requests that the model server saw, by the prompt that they ask about."""
    calls: dict[str, list[RequestRecord]] = {}
    for record in model.requests:
        if record.body:
            calls.setdefault(prompt_in(record.body), []).append(record)
    return calls


def _without_space(text: str) -> str:
    # A page parts paragraphs where the text has blank lines.
    return "".join(text.split())


@lru_cache(maxsize=100)
def _pages_of(text: str) -> frozenset[str]:
    """Return what a page may show of a text while it grows: each of its beginnings, rendered."""
    renderer, page = Renderer(), RenderedPage()
    pages = set()
    for character in text:
        for change in renderer.feed(character):
            page.apply(change)
        pages.add(_without_space(page.text))
    for change in renderer.close():
        page.apply(change)
    return frozenset(pages | {_without_space(page.text)})

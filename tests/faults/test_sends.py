"""Prompts that come twice, at once, too large, or whose answer never arrives."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from chat.demo.steps import Text
from tests.faults.history import History, calls_by_prompt
from tests.faults.people import Person, Send
from tests.faults.place import Place
from tests.faults.scene import scene
from tests.faults.tab import Tab
from tests.faults.verdicts import Verdicts
from tests.integration.answers import prompt
from tests.proxy import Proxy

pytestmark = pytest.mark.asyncio

ACCEPTED_S = 5.0
PARALLEL = 4
ROUNDS = 3
TWICE = "same send twice (same key)"
AT_ONCE = "two sends at once"
LARGE = "a prompt of 1 MB; over the limit"
PROMPT_BYTES = 1_000_000
LINE = "Four bytes or three: 👍🏽 鷺; or one & <two>.\n"
LIMIT_BYTES = 2_000_000  # CHAT_PROMPT_MAX_BYTES where nobody sets it


async def send_again(person: Person, base_url: str, first: Send, path: str = "/") -> Send:
    """Send what was sent before, as a page does that knows no answer to it."""
    again = Send(first.text, first.key)
    person.sends.append(again)
    return await person.send_again(base_url, again, path)


async def answered_once(place: Place, person: Person, sends: list[Send]) -> bool:
    """Whether all sends were told of one message that was answered once."""
    assert {send.code for send in sends} == {302}, [send.code for send in sends]
    assert len({send.path for send in sends}) == 1
    async with Tab(person, place.sites[-1].base_url, sends[0].path) as tab:
        await tab.until_ended()
        await History(place, [person], [tab], {}).check()
    calls = calls_by_prompt(place.model)[sends[0].text]
    return place.records.prompts(sends[0].path).count(sends[0].text) == len(calls) == 1


async def test_same_send_twice(place: Place, verdict: Verdicts) -> None:
    """In a new conversation and in an old one, at once and later, through every process."""
    person = place.person()
    first = Send(prompt("whole"))
    urls = [site.base_url for site in place.sites] * PARALLEL
    begun = [send_again(person, url, first) for url in urls[:PARALLEL]]
    sends = await asyncio.gather(*begun)
    sends.append(await send_again(person, urls[-1], first))
    new_is_one = await answered_once(place, person, sends)
    path, second = sends[0].path, Send(prompt("whole"))
    begun = [send_again(person, url, second, path) for url in urls[:PARALLEL]]
    later = await asyncio.gather(*begun)
    later.append(await send_again(person, urls[-1], second, path))
    verdict(
        TWICE,
        "one message, one call",
        f"{len(sends)} times in a new conversation, {len(later)} times in an old one",
        holds=new_is_one and await answered_once(place, person, later),
    )


async def test_two_sends_at_once(place: Place, verdict: Verdicts) -> None:
    place.model.script("slow-enough", Text(["word "] * 1_000, interval_s=0.02))
    urls = (place.sites[0].base_url, place.sites[-1].base_url)
    async with scene(place, "whole") as seen:
        for _ in range(ROUNDS):
            await seen.until_ended()
            path, seen.earlier_id = seen.sent.path, seen.tab.page.message_ids[-1]
            sends = await asyncio.gather(
                *(seen.person.send(url, prompt("slow-enough"), path) for url in urls)
            )
            assert sorted(send.code for send in sends) == [302, 409], [s.code for s in sends]
            refused = next(send for send in sends if send.code == 409)
            assert refused.text in refused.body and "still being written" in refused.body
            await seen.tab.until(lambda tab: "word" in tab.answer)
            await seen.tab.stop(seen.row.id)
            assert refused.text not in calls_by_prompt(place.model)
        await seen.until_ended()
        await seen.check()
    verdict(
        AT_ONCE,
        "one accepted, the other 409 with the text kept",
        f"{ROUNDS} times one of two",
        holds=place.records.count("chat_generation", seen.sent.path) == 1 + ROUNDS,
    )


async def test_large_prompt(place: Place, verdict: Verdicts) -> None:
    words = "\n" + LINE * (PROMPT_BYTES // len(LINE.encode()))
    async with scene(place, "whole", words=words) as seen:
        took_s = seen.sent.at - seen.begun_at
        await seen.until_ended()
        await seen.check()
    size_bytes = len(seen.sent.text.encode())
    verdict(
        LARGE,
        "accepted within 5 s",
        f"{size_bytes:,} bytes in {took_s:.1f} s, {seen.row.status}",
        holds=took_s < ACCEPTED_S and seen.row.status == "complete" and size_bytes > PROMPT_BYTES,
    )


async def test_prompt_over_the_limit(place: Place, verdict: Verdicts) -> None:
    text = f"/demo whole\n{'too long ' * (LIMIT_BYTES // 8)}"
    async with scene(place, "whole") as seen:
        await seen.until_ended()
        await seen.tab.until(lambda tab: tab.is_connected)
        refused = await seen.person.send(seen.tab.base_url, text, seen.sent.path)
        # Larger than any form may be: the page keeps the text itself (composer.js).
        huge = await seen.person.send(seen.tab.base_url, text * 4, seen.sent.path)
        later = await seen.then("whole")
        await later.until_ended()
        await later.check()
        is_open = seen.tab.is_connected and seen.tab.connections == 1
    verdict(
        LARGE,
        "refused in words with the text kept and the socket open",
        f"{refused.code} for {len(text):,} bytes, {huge.code} for {4 * len(text):,}",
        holds=is_open
        and (refused.code, huge.code) == (413, 413)
        and text in refused.body
        and "at most 2000000 can be sent" in refused.body
        and "too large" in huge.body,
    )


async def test_send_whose_answer_is_lost(place: Place, verdict: Verdicts) -> None:
    person, lost = place.person(), Send(prompt("whole"))
    person.sends.append(lost)
    with Proxy(place.sites[0].port) as proxy:
        # The site has committed when its first byte comes back.
        proxy.cut_after(1)
        with pytest.raises(httpx2.HTTPError):
            await person.send_again(proxy.base_url, lost)
        again = await send_again(person, place.sites[-1].base_url, lost)
        third = await send_again(person, proxy.base_url, lost)
    verdict(
        TWICE,
        "whose first answer was lost: one message, one call",
        f"sent {len(person.sends)} times, {again.code}",
        holds=await answered_once(place, person, [again, third]) and not lost.code,
    )

"""Rights that end while a page is open, and ids of what belongs to somebody else."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable

import httpx2
import pytest
import websockets

from chat.urls import urlpatterns
from tests.faults.people import PASSWORD, Person
from tests.faults.place import Place
from tests.faults.scene import Scene, scene
from tests.faults.speech import Speech
from tests.faults.tab import NOT_ALLOWED, WAIT_S, Tab, open_socket
from tests.faults.verdicts import Verdicts
from tests.integration.test_access import UNKNOWN, address, without_token

pytestmark = pytest.mark.asyncio

CLOSED_S = 5.0
WORD_S = 0.2  # few words, because a management command takes its time
ENDED = "logout, password change, account disabled, rights taken away"
FOREIGN = "any of somebody else's ids at any URL, socket message or SSE stream"
_MAKE_ADMIN = "User.objects.filter(username={!r}).update(is_staff=True, is_superuser=True)"

_DISABLE = "User.objects.filter(username={name!r}).update(is_active=False)"
_IN_SHELL = "import time; from chat.models import User\n{}\nprint('at', time.time())"

Way = Callable[[Place, Person], Awaitable[float]]
"""Takes somebody's rights; returns when they were gone, in seconds of `time.time()`."""


async def log_out(place: Place, person: Person) -> float:
    return done(await person.post(place.sites[0].base_url, "/accounts/logout/"))


async def change_password(place: Place, person: Person) -> float:
    new = "another pass phrase altogether"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    path = "/accounts/password/change/"
    return done(await person.post(place.sites[0].base_url, path, **form))


async def disable(place: Place, person: Person) -> float:
    """Have an admin take the tick from "active" in the account's form."""
    admin = place.person()
    await in_shell(place, _MAKE_ADMIN.format(admin.name))
    found = f"SELECT id FROM chat_user WHERE username = '{person.name}'"  # noqa: S608
    ((user_id,),) = place.records.query(found)
    form = {"username": person.name, "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    path = f"/admin/chat/user/{user_id}/change/"
    return done(await admin.post(place.sites[0].base_url, path, **form))


async def disable_in_shell(place: Place, person: Person) -> float:
    return await in_shell(place, _DISABLE.format(name=person.name))


def done(response: httpx2.Response) -> float:
    assert response.status_code == 302, f"{response.status_code}: {response.text[:500]}"
    return time.time()


async def in_shell(place: Place, code: str) -> float:
    """Run code in `manage.py shell`, a process that can ring for nobody; return when it was."""
    arguments = ("shell", "--command", _IN_SHELL.format(code))
    printed = await asyncio.to_thread(place.sites[0].manage, *arguments)
    return float(printed.rpartition("at ")[2])


WAYS: dict[str, Way] = {"logout": log_out, "password": change_password, "disabled": disable}


async def lose_rights(place: Place, way: Way) -> float:
    """Take somebody's rights while Claude answers; return how long their sockets stayed open."""
    name, speech = place.speak(interval_s=WORD_S)
    near = place.sites[0].base_url
    async with scene(place, name) as seen, Tab(seen.person, near, seen.sent.path) as other:
        tabs = [seen.tab, other]
        for tab in tabs:
            # Words stand on a page before its socket is open, which then opens by what is left.
            await tab.until(lambda tab: tab.is_connected and tab.answer.count("word") > 3)
        ended_at = await way(place, seen.person)
        for tab in tabs:
            await tab.until(lambda tab: NOT_ALLOWED in tab.close_codes)
        after_s = time.time() - ended_at
        await check_shut_out(seen, tabs, speech)
    return after_s


async def check_shut_out(seen: Scene, tabs: list[Tab], speech: Speech) -> None:
    """Check that whoever has lost their rights gets nothing of what is still written."""
    frames = [tab.frames for tab in tabs]
    for tab in tabs:
        page = await seen.person.get(tab.base_url, seen.sent.path)
        assert page.status_code == 302 and "/login/" in page.headers["Location"]
        with pytest.raises(websockets.InvalidStatus, match="403"):
            async with open_socket(seen.person, tab.base_url, seen.sent.path):
                pass
    speech.end_after(1)
    row = await seen.until_final()
    assert row.status == "complete" and row.text == speech.text
    assert [tab.frames for tab in tabs] == frames
    assert [tab.connections for tab in tabs] == [1, 1]
    await seen.check(speech.text)


async def test_rights_end(place: Place, verdict: Verdicts) -> None:
    """At the process that is told, and at another one."""
    times_s = await asyncio.gather(*(lose_rights(place, way) for way in WAYS.values()))
    verdict(
        ENDED,
        "that person's sockets close within 5 s and get nothing more",
        ", ".join(f"{way} {took:.2f} s" for way, took in zip(WAYS, times_s, strict=True)),
        holds=max(times_s) < CLOSED_S,
    )


async def test_rights_end_in_shell(place: Place, verdict: Verdicts) -> None:
    """By a change of a row that no process hears of."""
    after_s = await lose_rights(place, disable_in_shell)
    verdict(
        ENDED,
        "by `manage.py shell`: that person's sockets close within 5 s and get nothing more",
        f"disabled {after_s:.2f} s",
        holds=after_s < CLOSED_S,
    )


async def test_rights_end_without_redis(multi: Place, verdict: Verdicts) -> None:
    def without_redis(way: Way) -> Way:
        async def cut_and_go(place: Place, person: Person) -> float:
            assert place.redis is not None
            place.redis.kill()
            return await way(place, person)

        return cut_and_go

    tasks = [lose_rights(multi, without_redis(way)) for way in WAYS.values()]
    times_s = await asyncio.gather(*tasks)
    verdict(
        ENDED,
        "while Redis is gone: that person's sockets close within 5 s and get nothing more",
        ", ".join(f"{way} {took:.2f} s" for way, took in zip(WAYS, times_s, strict=True)),
        holds=max(times_s) < CLOSED_S,
    )


# The owner has none of these.
ALIKE = {"tool_use_id": "toolu_1", "token_id": 10**9}


def ids_of(seen: Scene) -> dict[str, object]:
    row = seen.row
    return {
        "conversation_id": seen.sent.path.split("/")[2],
        "generation_id": row.id,
        "message_id": row.message_id,
        **ALIKE,
    }


async def answers_at_urls(person: Person, base_url: str, ids: dict[str, object]) -> dict[str, str]:
    """Return what each address with an id answers, by method and route."""
    answers = {}
    for route in (str(pattern.pattern) for pattern in urlpatterns):
        if "_id" not in route:
            continue
        path = address(route, ids)
        for method, call in (("GET", person.get), ("POST", person.post)):
            response = await call(base_url, path)
            body = without_token(response.content).decode()
            answers[f"{method} {route}"] = f"{response.status_code} {body}"
    return answers


async def answers_on_socket(seen: Scene, ids: dict[str, object]) -> list[str]:
    """Return what the page's socket says to verbs with ids, until a new title comes."""
    path, base_url = seen.sent.path, seen.tab.base_url
    await seen.person.post(base_url, f"{path}rename/", title="Before")
    position = {"message_id": ids["message_id"], "shown_id": ids["generation_id"], "seq": 3}
    follow = {"verb": "follow", "generation_id": ids["generation_id"], **position}
    stop = {"verb": "stop", "generation_id": ids["generation_id"]}
    frames: list[str] = []
    async with asyncio.timeout(WAIT_S), open_socket(seen.person, base_url, path) as socket:
        await socket.send(json.dumps(follow))
        frames.append(str(await socket.recv()))
        await socket.send(json.dumps(stop))
        response = await seen.person.post(base_url, f"{path}rename/", title="Afterwards")
        assert response.status_code == 302
        while "Afterwards" not in frames[-1]:
            frames.append(str(await socket.recv()))
    return frames


async def refusal_of_socket(seen: Scene, conversation_id: object) -> tuple[int, bytes]:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with open_socket(seen.person, seen.tab.base_url, f"/c/{conversation_id}/"):
            pass
    response = refused.value.response
    return response.status_code, bytes(response.body or b"")


async def test_ids_of_somebody_else(place: Place, verdict: Verdicts) -> None:
    name, speech = place.speak(interval_s=0.05)
    async with scene(place, "whole") as stranger, scene(place, name) as owner:
        await stranger.until_ended()
        await owner.tab.until(lambda tab: "word" in tab.answer)
        theirs, nobodys = ids_of(owner), {**UNKNOWN, **ALIKE}
        base_url = stranger.tab.base_url
        urls = await answers_at_urls(stranger.person, base_url, theirs)
        assert urls == await answers_at_urls(stranger.person, base_url, nobodys)
        assert {answer[:3] for answer in urls.values()} == {"404", "405"}
        refusal = await refusal_of_socket(stranger, theirs["conversation_id"])
        assert refusal == await refusal_of_socket(stranger, nobodys["conversation_id"])
        told = [await answers_on_socket(stranger, ids) for ids in (theirs, nobodys)]
        assert told[0] == told[1] and "word" not in "".join(told[0])
        assert owner.row.status == "streaming"
        speech.end_after(1)
        await owner.until_ended()
        await owner.check(speech.text)
    verdict(
        FOREIGN,
        "the answer that an unknown id gets",
        f"{len(urls)} requests, {refusal[0]} for the socket, its verbs do nothing",
        holds=owner.row.status == "complete",
    )

"""`python -m tests.deployment.visit`: a person who uses the site over HTTPS, from where it runs.

`talk` signs in with the password of CHAT_ADMIN_PASSWORD and has one answer written, `read PATH`
looks at a conversation then. `stay` is for the people of CHAT_SESSION_KEYS, who have long answers
written and send prompts until its input ends. The last line that it prints is for its caller.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sys
import time
from collections.abc import Sequence

import django

# The tabs of the tests are made from code of the site, which wants settings; any will do.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
import tests.environment  # noqa: F401  (sets the environment)

django.setup()

from tests.faults.people import Person  # noqa: E402
from tests.faults.tab import Tab, has_ended  # noqa: E402
from tests.visitor import Visitor  # noqa: E402

PASSWORD, KEYS = "CHAT_ADMIN_PASSWORD", "CHAT_SESSION_KEYS"
LONG = "Please tell me a long story."  # the demo model writes for half a minute
SHORT = "Hello, who are you?"
STREAMS = 6  # of the people; the others send prompts, each less often than a limit allows
SEND_EVERY_S = 0.5
END_TIMEOUT_S = 120.0
RELOAD_EVERY_S = 1.0
# A button of a message that needs a click; in the page's HTML, where answers can't put one.
CLICKS = ('class="button button-small continue-button"', 'class="button button-small retry-button"')


def sign_in(base_url: str) -> Person:
    with Visitor(base_url) as visitor:
        visitor.sign_in("admin", os.environ[PASSWORD])
        return Person("admin", visitor.http.cookies["sessionid"])


async def talk(person: Person, base_url: str) -> str:
    """Have one answer written; return the path of its conversation."""
    sent = await person.ask(base_url, SHORT)
    async with Tab(person, base_url, sent.path) as tab:
        await tab.until(has_ended)
        assert tab.connections and tab.frames, "the page's socket brought nothing"
    await check_page(person, base_url, sent.path)
    return sent.path


async def read(person: Person, base_url: str, path: str) -> str:
    """Look at a conversation; return the text of its last message."""
    page = await person.get(base_url, path)
    assert page.status_code == 200, f"{page.status_code} at {path}"
    tab = Tab(person, base_url, path)
    await tab.load()
    assert tab.answer, "the conversation has no answer"
    return tab.answer


async def stay(people: Sequence[Person], base_url: str) -> str:
    """Have answers written until the input ends, then to their end; return what came of it."""
    over = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    async with contextlib.AsyncExitStack() as stack:
        tabs = []
        for person in people[:STREAMS]:
            sent = await person.ask(base_url, LONG)
            tabs.append(await stack.enter_async_context(Tab(person, base_url, sent.path)))
        for tab in tabs:
            await tab.until(lambda tab: len(tab.answer) > 50)
        print("the answers are being written", flush=True)
        await send_until(over, people[STREAMS:], base_url)
        sends = [(person, send.path) for person in people for send in person.sends]
        for person, path in sends:
            await check_page(person, base_url, path)
        for tab in tabs:
            shown = await read(tab.person, base_url, tab.path)
            await tab.until(lambda tab, shown=shown: tab.answer == shown)  # type: ignore[misc]
    came_back = sum(tab.connections for tab in tabs) - len(tabs)
    return f"{len(sends)} prompts taken and answered, sockets came back {came_back} times"


async def send_until(over: asyncio.Task[str], people: Sequence[Person], base_url: str) -> None:
    """Send prompts in turn, one at least."""
    for person in itertools.cycle(people):
        await person.ask(base_url, SHORT)
        await asyncio.wait([over], timeout=SEND_EVERY_S)
        if over.done():
            return


async def check_page(person: Person, base_url: str, path: str) -> None:
    """Wait until a conversation's answers are whole; nobody may have to click anything."""
    give_up_at = time.monotonic() + END_TIMEOUT_S
    while True:
        page = await person.get(base_url, path)
        tab = Tab(person, base_url, path)
        await tab.load()
        if has_ended(tab) and not any(button in page.text for button in CLICKS):
            return
        assert time.monotonic() < give_up_at, f"not whole after a while: {page.text[-3000:]}"
        await asyncio.sleep(RELOAD_EVERY_S)


async def main(base_url: str, verb: str, path: str = "") -> str:
    if verb == "stay":
        return await stay([Person("", key) for key in os.environ[KEYS].split()], base_url)
    admin = await asyncio.to_thread(sign_in, base_url)
    return await (read(admin, base_url, path) if verb == "read" else talk(admin, base_url))


if __name__ == "__main__":
    print(asyncio.run(main(*sys.argv[1:])))

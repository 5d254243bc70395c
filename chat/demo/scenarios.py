"""The table of scripted scenarios, which one a prompt plays, and the menu that lists them.

A prompt whose first line is `/demo NAME` plays that scenario; the rest of the prompt is free.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from chat.demo import faults, specimens
from chat.demo.markdown import escape
from chat.demo.request import Request, asks_to_go_on
from chat.demo.search import asks_for_search, search_steps
from chat.demo.steps import Answer, Scenario, Step, Text

_GROUPS: Mapping[str, Mapping[str, Scenario]] = {
    "Refused at once": faults.BY_STATUS,
    "Broken streams": faults.BROKEN_STREAMS,
    "Silence": faults.SILENCES,
    "Blocks of all kinds": specimens.BLOCKS,
    "Endings": specimens.ENDINGS,
    "Unusual text": specimens.TEXTS,
}
BUILT_IN: Mapping[str, Scenario] = {
    name: scenario for group in _GROUPS.values() for name, scenario in group.items()
}
_KEPT_COUNTS = 10_000
_WEB_SEARCH = re.compile(r"web|^search$", re.IGNORECASE)


class AttemptCounts:
    """Counts how often the same prompt came, so that a scenario can vary by attempt."""

    def __init__(self) -> None:
        self._counts: OrderedDict[bytes, int] = OrderedDict()

    def next(self, scenario: str, request: Request) -> int:
        """Return 0 for the first request with this text, 1 for the second, and so on."""
        # The text may be long, so only its digest is kept.
        seed = f"{scenario}\n{request.call}\n{request.prompt}"
        key = hashlib.sha256(seed.encode()).digest()
        attempt = self._counts.pop(key, 0)
        self._counts[key] = attempt + 1
        while len(self._counts) > _KEPT_COUNTS:
            self._counts.popitem(last=False)
        return attempt


def steps_for(request: Request, scenarios: Mapping[str, Scenario], attempt: int) -> Sequence[Step]:
    """Return what to play: a scenario, the menu where none has that name, or the answer."""
    name = request.scenario
    if name is None:
        # An answer that is gone on with may quote such a prompt.
        is_new = not request.tool_results and not asks_to_go_on(request.prompt)
        is_search = is_new and not _offers_web(request) and asks_for_search(request.prompt)
        return search_steps(request.prompt) if is_search else [Answer()]
    if name not in scenarios:
        return [Text(menu(name, scenarios), chunk=40)]
    return scenarios[name].steps(attempt, request.call)


def _offers_web(request: Request) -> bool:
    """Say whether the application would search the web itself."""
    return any(_WEB_SEARCH.search(str(tool["name"])) for tool in request.tools)


def menu(name: str, scenarios: Mapping[str, Scenario]) -> str:
    """Return the list of scenarios in Markdown."""
    intro = "This is the demo model, not Claude. It can play these scenarios for you.\n"
    if name:
        intro = f"There is no scenario called “{escape(name)}”. " + intro
    parts = [intro, "Write one of them as the first line of a prompt, such as `/demo refusal`.\n"]
    own = {name: item for name, item in scenarios.items() if name not in BUILT_IN}
    for title, group in {**_GROUPS, "Added here": own}.items():
        names = [name for name in group if name in scenarios]
        if names:
            lines = [f"- `/demo {name}`: {scenarios[name].description}" for name in names]
            parts.append(f"\n### {title}\n\n" + "\n".join(lines) + "\n")
    return "".join(parts)

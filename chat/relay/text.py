"""A text of a running answer as one reader sees it: text blocks side by side are one text."""

from __future__ import annotations

from typing import Any

from chat import fragments
from chat.content import text_of_delta
from chat.fragments import Step
from chat.relay.block import FRAME_MAX_CHARS
from chat.render import Change, Renderer, in_parts
from chat.words import split_overdue, split_ready


class LiveText:
    """Takes in a text as it comes, and gives out steps.

    Args:
        number: of its first block.
        shown: what the reader shows of it already, as a text that may go on.
        is_unsure: whether the reader shows some of it already, in pieces that are not known; a
            link whose address came later may then be shown without it.
    """

    def __init__(
        self, element_id: str, number: int, *, shown: str = "", is_unsure: bool = False
    ) -> None:
        self.element_id = element_id
        self.number = number
        self.held = ""
        self.is_unsure = is_unsure
        self._renderer = Renderer()
        self._new: list[str] = []
        self._before = ""
        # Parsed when more comes; it may be long.
        self._shown = shown
        self._has_definition = False

    @property
    def work_chars(self) -> int:
        """How much text the next release may have to parse beside what is new, in characters."""
        return len(self._shown) + self._renderer.open_chars

    @property
    def has_given_up(self) -> bool:
        """Whether it is shown as plain text, which depends on the pieces that it came in."""
        return self._renderer.has_given_up

    @property
    def digest(self) -> bytes:
        """What tells the HTML that is shown, once the text is closed; b"" where nothing does."""
        return b"" if self.is_unsure and self._has_definition else self._renderer.digest

    def add(self, text: str) -> None:
        """Take in what comes next."""
        self._new.append(text)

    def feed(self, data: dict[str, Any]) -> None:
        """Take in a delta; of those that are no text nothing is shown before the end."""
        self._new.append(text_of_delta(data["delta"]))

    def skip(self, held: int) -> int:
        """Take what came as shown, but for the last `held` characters; return its length."""
        text = "".join(self._new)
        self._new = []
        cut = max(0, len(text) - held)
        self._feed(text[:cut])
        self.held = text[cut:]
        return cut

    def release(self, *, overdue: bool, stopped: bool) -> tuple[list[Step], int]:
        """Return steps for what can be shown now, and its number of characters."""
        text = "".join([self.held, *self._new])
        self._new = []
        ready, self.held = _split(text, overdue=overdue, stopped=stopped)
        # What ends in the middle of a word may have nothing to show yet.
        return (self._steps(self._feed(ready)), len(ready)) if ready else ([], 0)

    def close(self) -> list[Step]:
        """End the text, of which everything has been released; return steps for its end."""
        self._feed("")
        return self._steps(self._renderer.close())

    def _feed(self, text: str) -> list[Change]:
        if self._shown:
            shown, self._shown = self._shown, ""
            self._feed(shown)
        self._has_definition |= "]:" in self._before + text
        self._before = text[-1:] or self._before
        return self._renderer.feed(text)

    def _steps(self, changes: list[Change]) -> list[Step]:
        return [
            fragments.text_step(self.element_id, part)
            for change in changes
            for part in in_parts(change, FRAME_MAX_CHARS)
        ]


def _split(text: str, *, overdue: bool, stopped: bool) -> tuple[str, str]:
    if stopped or not text:
        return text, ""
    return split_overdue(text) if overdue else split_ready(text)

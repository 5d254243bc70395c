"""What a browser complained of: script errors, console errors, violations of the policy."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, ConsoleMessage, WebError


class Problems:
    """Collects the complaints of every page of the contexts that it watches."""

    def __init__(self) -> None:
        self._found: list[str] = []
        self._expected: list[str] = []

    def watch(self, context: BrowserContext) -> None:
        # Chromium reports a violation of the Content-Security-Policy as a console error too.
        context.on("console", self._note_message)
        context.on("weberror", self._note_error)

    def expect(self, *parts: str) -> None:
        """Accept complaints that contain one of these, in a test that provokes them."""
        self._expected.extend(parts)

    @property
    def unexpected(self) -> list[str]:
        return [text for text in self._found if not any(part in text for part in self._expected)]

    @property
    def violations(self) -> list[str]:
        """What the Content-Security-Policy kept from happening, whether it was expected or not."""
        return [text for text in self._found if "Content Security Policy" in text]

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "assert"):
            self._found.append(f"{message.text} ({message.location['url']})")

    def _note_error(self, error: WebError) -> None:
        self._found.append(f"uncaught: {error.error}")

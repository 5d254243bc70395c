"""The language of a websocket, as its handshake asks for it."""

from __future__ import annotations

import pytest

from chat.language import language_of

LANGUAGE = b"accept-language"


@pytest.mark.parametrize(
    ("headers", "cookies", "language"),
    [
        ([], {}, "en"),
        ([b"de"], {}, "de"),
        ([b"de-AT,de;q=0.9,en;q=0.8"], {}, "de"),
        ([b"fr,de;q=0.5,en;q=0.1"], {}, "de"),
        ([b"fr"], {}, "en"),
        ([b"fr", b"de"], {}, "de"),
        ([b"de"], {"django_language": "en"}, "en"),
        ([], {"django_language": "de"}, "de"),
        ([b"\xff\x00;q=x"], {"django_language": "../de"}, "en"),
        ([b"de," * 10_000], {"django_language": "d" * 10_000}, "de"),
    ],
)
def test_language_of(headers: list[bytes], cookies: dict[str, str], language: str) -> None:
    named = [(LANGUAGE, value) for value in headers]
    assert language_of({"headers": [(b"host", b"de"), *named], "cookies": cookies}) == language

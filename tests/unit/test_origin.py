"""Which pages may open a socket: this site's own, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from chat.origin import is_same_origin

HOST = "chat.example"


@pytest.fixture(autouse=True)
def site() -> Iterator[None]:
    with override_settings(
        ALLOWED_HOSTS=[HOST, "[::1]"], CSRF_TRUSTED_ORIGINS=[], BEHIND_PROXY=False
    ):
        yield


def is_let_in(
    origin: str | None, host: str | None = HOST, scheme: str = "ws", **headers: str
) -> bool:
    values: dict[str, str | None] = {"host": host, "origin": origin, **headers}
    pairs = [
        (name.replace("_", "-").encode(), value.encode("latin1"))
        for name, value in values.items()
        if value is not None
    ]
    scope: dict[str, Any] = {"type": "websocket", "scheme": scheme, "headers": pairs}
    return is_same_origin(scope)


def test_own_page() -> None:
    assert is_let_in("http://chat.example")


def test_own_page_over_tls() -> None:
    assert is_let_in("https://chat.example", scheme="wss")


def test_own_page_on_a_port() -> None:
    assert is_let_in("http://chat.example:8000", "chat.example:8000")


def test_own_page_at_an_ipv6_address() -> None:
    assert is_let_in("http://[::1]:8000", "[::1]:8000")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("HTTP://CHAT.EXAMPLE", HOST),
        ("http://chat.example", "CHAT.example"),
        ("http://Chat.Example:8000", "chat.example:8000"),
    ],
)
def test_case_does_not_matter(origin: str, host: str) -> None:
    assert is_let_in(origin, host)


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        "http://",
        "chat.example",
        "//chat.example",
        "http://evil.example",
        "http://chat.example.evil.example",
        "http://evil-chat.example",
        "http://sub.chat.example",
        "http://chat.example@evil.example",
        "http://chat.example:8001",
        "https://chat.example",
        "ws://chat.example",
        "file://chat.example",
        "http://chat.example/",
        "http://chat.example http://evil.example",
    ],
)
def test_other_page_is_refused(origin: str | None) -> None:
    assert not is_let_in(origin)


def test_http_for_https_is_refused() -> None:
    assert not is_let_in("http://chat.example", scheme="wss")


def test_other_port_is_refused() -> None:
    assert not is_let_in("http://chat.example:8001", "chat.example:8000")


def test_default_port_of_the_origin_alone_is_refused() -> None:
    assert not is_let_in("http://chat.example", "chat.example:8000")


@pytest.mark.parametrize("host", ["evil.example", "", None, "[::2]", "chat.example:x", "a b"])
def test_host_that_is_not_allowed_is_refused(host: str | None) -> None:
    assert not is_let_in(f"http://{host}", host)


def test_any_host_allowed_still_needs_an_origin() -> None:
    with override_settings(ALLOWED_HOSTS=["*"]):
        assert is_let_in("http://any.example", "any.example")
        assert not is_let_in(None, "any.example")
        assert not is_let_in(None, None)


@pytest.mark.parametrize("origin", ["https://other.example", "HTTPS://OTHER.example"])
def test_trusted_origin(origin: str) -> None:
    with override_settings(CSRF_TRUSTED_ORIGINS=["https://other.example"]):
        assert is_let_in(origin)


@pytest.mark.parametrize(
    "origin", ["http://other.example", "https://other.example:1", "https://a.other.example"]
)
def test_origin_like_a_trusted_one_is_refused(origin: str) -> None:
    with override_settings(CSRF_TRUSTED_ORIGINS=["https://other.example"]):
        assert not is_let_in(origin)


def test_trusted_origin_with_any_subdomain() -> None:
    # Django's form, which its own check of a POST accepts (settings, CSRF_TRUSTED_ORIGINS).
    with override_settings(CSRF_TRUSTED_ORIGINS=["https://*.other.example"]):
        assert is_let_in("https://a.other.example")
        assert not is_let_in("https://a.evil.example")


def test_proxy_may_have_ended_tls() -> None:
    with override_settings(BEHIND_PROXY=True):
        assert is_let_in("https://chat.example", x_forwarded_proto="https")


def test_proxy_over_http_is_http() -> None:
    with override_settings(BEHIND_PROXY=True):
        assert is_let_in("http://chat.example", x_forwarded_proto="http")
        assert not is_let_in("https://chat.example", x_forwarded_proto="http")


@pytest.mark.parametrize("header", ["HTTPS", "https, http", "https,https"])
def test_proxy_header_is_read_as_django_reads_it(header: str) -> None:
    with override_settings(BEHIND_PROXY=True):
        assert is_let_in("https://chat.example", x_forwarded_proto=header) is header.islower()


def test_proxy_header_without_a_proxy_counts_nothing() -> None:
    assert not is_let_in("https://chat.example", x_forwarded_proto="https")
    assert is_let_in("http://chat.example", x_forwarded_proto="https")


def test_odd_bytes_are_refused() -> None:
    assert not is_let_in("http://\xff.example", "\xff.example")

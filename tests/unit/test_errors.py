"""The error tree: as it is drawn, whole, and with words that help."""

from __future__ import annotations

import re

import pytest

from chat import errors, retry

CODES = [
    "rate_limited",
    "overloaded",
    "upstream_error",
    "bad_request",
    "auth",
    "billing",
    "permission",
    "not_found",
    "too_large",
    "context_too_long",
    "unreachable",
    "stalled",
    "connection_lost",
    "truncated",
    "bad_stream",
    "time_limit",
    "owner_lost",
    "shutdown",
    "not_taken",
    "internal",
]
NEXT_STEP = re.compile(
    r"\b(try|send|start|shorten|wait|write|reload|ask|add|check)\b", re.IGNORECASE
)


# What its sentence is, whoever raises it says.
GIVEN = {errors.InvalidRequest}


def leaves(kind: type[errors.ChatError]) -> list[type[errors.ChatError]]:
    below = [leaf for sub in kind.__subclasses__() for leaf in leaves(sub)]
    return below or [kind]


def drawn_tree() -> set[tuple[str, str]]:
    """Read (parent, child) pairs from the drawing: four columns are one level."""
    edges, path = set(), [""]
    for line in re.findall(r"^    ([ |+].*|ChatError)$", errors.__doc__ or "", re.MULTILINE):
        names = re.match(r"[ |+-]*(\w+(?:, \w+)*)", line)
        assert names
        depth = names.start(1) // 4
        path[depth + 1 :] = [names[1].split(", ")[0]]
        edges |= {(path[depth], name) for name in names[1].split(", ")}
    return edges - {("", "ChatError")}


def real_tree(kind: type[errors.ChatError]) -> set[tuple[str, str]]:
    below = {(kind.__name__, sub.__name__) for sub in kind.__subclasses__()}
    return below.union(*(real_tree(sub) for sub in kind.__subclasses__()))


LEAVES = leaves(errors.ChatError)
GENERATION_LEAVES = leaves(errors.GenerationError)


def test_tree_is_as_drawn() -> None:
    assert drawn_tree() == real_tree(errors.ChatError)


@pytest.mark.parametrize("code", CODES)
def test_code_exists_once(code: str) -> None:
    assert [leaf.code for leaf in LEAVES].count(code) == 1


def test_codes_are_different() -> None:
    assert len({leaf.code for leaf in LEAVES}) == len(LEAVES)


def test_no_code_is_unknown() -> None:
    assert {leaf.code for leaf in GENERATION_LEAVES} == set(CODES)


def test_all_generation_errors_is_complete() -> None:
    assert sorted(errors.all_generation_errors()) == sorted(CODES)


def test_all_generation_errors_goes_by_code() -> None:
    assert all(code == error.code for code, error in errors.all_generation_errors().items())


@pytest.mark.parametrize("code", CODES)
def test_generation_error_of_a_code(code: str) -> None:
    assert errors.generation_error(code).code == code


def test_generation_error_of_a_code_of_another_release() -> None:
    assert errors.generation_error("of_tomorrow") is errors.Internal


@pytest.mark.parametrize("code", CODES)
def test_code_fits_its_column(code: str) -> None:
    assert len(code) <= 20


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if leaf not in GIVEN])
def test_text_is_sentences(leaf: type[errors.ChatError]) -> None:
    assert re.fullmatch(r"[A-Z].+\.", leaf.text)


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if leaf not in GIVEN])
def test_text_names_a_next_step(leaf: type[errors.ChatError]) -> None:
    assert NEXT_STEP.search(leaf.text)


@pytest.mark.parametrize("leaf", LEAVES)
def test_text_is_its_own(leaf: type[errors.ChatError]) -> None:
    assert [other.text for other in LEAVES].count(leaf.text) == 1


@pytest.mark.parametrize("leaf", LEAVES)
def test_docstring_says_when(leaf: type[errors.ChatError]) -> None:
    assert (leaf.__doc__ or "").partition("\n")[0].endswith(".")


# These tell of this site, not of what was asked for.
OF_THE_SITE = {errors.StreamEnded, errors.Unavailable}


@pytest.mark.parametrize("leaf", leaves(errors.RequestRefused))
def test_http_status_of_a_refusal_is_the_clients(leaf: type[errors.ChatError]) -> None:
    known = (503,) if leaf in OF_THE_SITE else (400, 401, 403, 404, 405, 409, 410, 412, 413, 429)
    assert leaf.http_status in known


@pytest.mark.parametrize("leaf", GENERATION_LEAVES)
def test_http_status_of_a_generation_is_the_servers(leaf: type[errors.ChatError]) -> None:
    assert leaf.http_status in (429, 500, 502, 503, 504)


@pytest.mark.parametrize("kind", retry.TRANSIENT)
def test_transient_error_is_retryable(kind: type[errors.GenerationError]) -> None:
    assert kind.retryable


def test_prompt_too_long_holds_the_numbers() -> None:
    error = errors.PromptTooLong(7, 5)
    assert str(error) == "7 bytes, limit 5 bytes"
    assert "7 bytes; at most 5 can" in error.text % error.params


@pytest.mark.parametrize("leaf", leaves(errors.LimitReached))
def test_limit_reached_says_how_long_to_wait(leaf: type[errors.LimitReached]) -> None:
    error = leaf(20, 12)
    assert (error.http_status, error.retry_after_s) == (429, 12)
    assert (error.text % error.params).endswith("ry again in 12 s.")


def test_generation_error_without_detail_says_its_code() -> None:
    assert str(errors.Stalled()) == "stalled"


def test_generation_error_keeps_the_wait() -> None:
    assert errors.RateLimited("429", retry_after_s=3.5).retry_after_s == 3.5


def test_gettext_noop_returns_the_message() -> None:
    assert errors.gettext_noop("Try again.") == "Try again."

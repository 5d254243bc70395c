"""The decision to ask again: when, after how long, and how often at most."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import errors
from chat.retry import FIRST_WAIT_S, MAX_RETRIES, TRANSIENT, wait_before_retry

OTHERS = sorted(
    set(errors.all_generation_errors().values()) - set(TRANSIENT), key=lambda error: error.code
)
fractions = st.floats(min_value=0, max_value=1)


def wait(
    error: errors.GenerationError,
    attempt: int = 1,
    *,
    waited_s: float = 0,
    max_wait_s: float = 30,
    jitter: float = 0,
) -> float | None:
    return wait_before_retry(
        error, attempt, waited_s=waited_s, max_wait_s=max_wait_s, jitter=jitter
    )


@pytest.mark.parametrize("kind", TRANSIENT)
def test_transient_error_is_tried_again(kind: type[errors.GenerationError]) -> None:
    assert wait(kind()) == FIRST_WAIT_S


@pytest.mark.parametrize("kind", OTHERS)
def test_other_error_is_never_tried_again(kind: type[errors.GenerationError]) -> None:
    assert wait(kind()) is None


@pytest.mark.parametrize("kind", OTHERS)
def test_other_error_is_never_tried_again_whatever_it_asks(
    kind: type[errors.GenerationError],
) -> None:
    assert wait(kind(retry_after_s=0)) is None


def test_wait_doubles() -> None:
    assert wait(errors.Overloaded(), 2) == 2 * FIRST_WAIT_S


def test_attempts_are_limited() -> None:
    assert wait(errors.Overloaded(), MAX_RETRIES) is not None
    assert wait(errors.Overloaded(), MAX_RETRIES + 1) is None


def test_calls_are_three_at_most() -> None:
    assert MAX_RETRIES == 2


@given(jitter=fractions, attempt=st.integers(min_value=1, max_value=MAX_RETRIES))
def test_jitter_takes_a_quarter_at_most(jitter: float, attempt: int) -> None:
    wait_s = wait(errors.Overloaded(), attempt, jitter=jitter)
    whole_s = FIRST_WAIT_S * 2 ** (attempt - 1)
    assert wait_s is not None
    assert 0.75 * whole_s <= wait_s <= whole_s


@pytest.mark.parametrize("retry_after_s", [0.0, 0.5, 7.0, 30.0])
def test_retry_after_is_honoured(retry_after_s: float) -> None:
    assert wait(errors.RateLimited(retry_after_s=retry_after_s)) == retry_after_s


def test_retry_after_is_not_shortened_by_jitter() -> None:
    assert wait(errors.RateLimited(retry_after_s=8), jitter=1) == 8


@pytest.mark.parametrize("retry_after_s", [30.1, 3600.0, math.inf])
def test_long_retry_after_gives_up(retry_after_s: float) -> None:
    assert wait(errors.RateLimited(retry_after_s=retry_after_s)) is None


def test_earlier_waits_count() -> None:
    assert wait(errors.RateLimited(retry_after_s=10), 2, waited_s=20) == 10
    assert wait(errors.RateLimited(retry_after_s=10), 2, waited_s=20.1) is None


def test_no_wait_allowed_gives_up() -> None:
    assert wait(errors.Overloaded(), max_wait_s=0) is None


@given(
    asked=st.lists(st.none() | st.floats(min_value=0, max_value=40), min_size=5, max_size=5),
    max_wait_s=st.floats(min_value=0, max_value=60),
    jitter=fractions,
)
def test_sum_of_waits_stays_in_its_limit(
    asked: list[float | None], max_wait_s: float, jitter: float
) -> None:
    waited_s = 0.0
    for attempt, retry_after_s in enumerate(asked, start=1):
        error = errors.RateLimited(retry_after_s=retry_after_s)
        wait_s = wait(error, attempt, waited_s=waited_s, max_wait_s=max_wait_s, jitter=jitter)
        if wait_s is None:
            break
        waited_s += wait_s
    assert attempt <= MAX_RETRIES + 1
    assert waited_s <= max_wait_s

"""The decision whether a request that failed is made again. Pure: no clock, no chance of its own.

Only failures before the first content are ever asked about; after it nothing is repeated.
"""

from __future__ import annotations

from chat import errors

MAX_RETRIES = 2
"""Calls that may follow the first one of a request."""

FIRST_WAIT_S = 0.75
"""The wait before the first retry where the API names none; it doubles each time.

Three calls and two waits are over in well under the 5 s in which a failure has to be told.
"""

TRANSIENT = (errors.RateLimited, errors.Overloaded, errors.UpstreamError, errors.Unreachable)


def wait_before_retry(
    error: errors.GenerationError,
    attempt: int,
    *,
    waited_s: float,
    max_wait_s: float,
    jitter: float,
) -> float | None:
    """Return the seconds to wait before the next attempt, or None to give up.

    Args:
        attempt: the number of the attempt that failed, from 1.
        waited_s: what this request has waited so far, in seconds.
        max_wait_s: what all its waits together may come to, in seconds.
        jitter: a random number from 0 to 1, which spreads retries of many processes.
    """
    if attempt > MAX_RETRIES or not isinstance(error, TRANSIENT):
        return None
    wait_s = error.retry_after_s
    if wait_s is None:
        # At most 25 % less, as the SDK does it (anthropic/_base_client.py).
        wait_s = FIRST_WAIT_S * 2 ** (attempt - 1) * (1 - 0.25 * jitter)
    return wait_s if waited_s + wait_s <= max_wait_s else None

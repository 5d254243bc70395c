"""The only package that knows the SDK. It knows no database.

    request    what goes out and comes back
    stream     AsyncAnthropic.messages.create(stream=True) -> raw server-sent events
    failures   every way in which that can break, as one error

Nothing is imported here: the SDK takes seconds, which most commands need not wait for.
"""

from __future__ import annotations

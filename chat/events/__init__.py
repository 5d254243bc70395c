"""The log of a generation: append (group commit), read, follow; rings that wake its readers.

    Log.append -> Committer (one commit for all logs of the process) -> ring -> Follower.next

The log is the truth: what a reader gets is committed, in order, without a gap. A ring only
says that there may be more. Of what an event means, nothing here knows more than which is the
last: of a log, and of a request, whose last words need not wait.
"""

from __future__ import annotations

from chat.events.commit import Committer, Log, LogClosed
from chat.events.entry import Entry
from chat.events.exchange import Exchange, look_interval_s
from chat.events.follow import Follower, follow, read, recall
from chat.events.prune import prune
from chat.events.rings import Bell, end_topic, ring, ring_here, topic
from chat.events.rows import insert_entries

__all__ = [
    "Bell",
    "Committer",
    "Entry",
    "Exchange",
    "Follower",
    "Log",
    "LogClosed",
    "end_topic",
    "follow",
    "insert_entries",
    "look_interval_s",
    "prune",
    "read",
    "recall",
    "ring",
    "ring_here",
    "topic",
]

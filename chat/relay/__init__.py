"""Follows a conversation for one reader, and turns what happens in it into frames of fragments.

    events.Follower -> LiveAnswer (holds words, renders) -> frames -> whoever sends them

A reader starts from what it shows already (Position) and is never sent anything twice.
"""

from __future__ import annotations

from chat.relay.conversation import LOOK_INTERVAL_S, follow_conversation
from chat.relay.position import Position

__all__ = ["LOOK_INTERVAL_S", "Position", "follow_conversation"]

"""Follows a conversation for one reader, and turns what happens in it into frames.

    events.Follower -> LiveAnswer (holds words, renders) -> frames -> whoever sends them

A reader starts from what it shows already (Position) and is never sent anything twice.
"""

from __future__ import annotations

from chat.relay.conversation import follow_conversation
from chat.relay.position import Position
from chat.relay.right import guarding, is_signed_in, may_read, until_over, while_allowed
from chat.relay.window import ACKNOWLEDGE_S, Window

__all__ = [
    "ACKNOWLEDGE_S",
    "Position",
    "Window",
    "follow_conversation",
    "guarding",
    "is_signed_in",
    "may_read",
    "until_over",
    "while_allowed",
]

"""What can be read off a frame of a conversation's socket, beside what it swaps."""

from __future__ import annotations

import re

ENDED = re.compile(r'id="status-(\d+)" data-generation="\d+"(?: hx-swap-oob="true")?>')
"""The status of an answer that has ended, with the number of its generation."""

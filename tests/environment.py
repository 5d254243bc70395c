"""The environment of all tests; pytest loads this plugin before Django's settings are read."""

from __future__ import annotations

import os

os.environ.update(
    {
        "DEBUG": "on",
        "SECRET_KEY": "of the tests alone",
        "ANTHROPIC_API_KEY": "",
        # Nothing listens there: a test that needs a model starts one.
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
        "CHAT_DEMO": "auto",
        "CHAT_SIGNUP": "closed",
    }
)

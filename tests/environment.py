"""The environment of all tests; pytest loads this plugin before Django's settings are read.

DATABASE_URL and REDIS_URL are taken as they are, so that the same tests run on PostgreSQL and
Redis; REDIS_URL has to end with a number of a database.
"""

from __future__ import annotations

import os

os.environ.update(
    {
        "DEBUG": "on",
        "SECRET_KEY": "of the tests alone",
        "ANTHROPIC_API_KEY": "",
        # Nothing listens there: a test that needs a model starts one.
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
        # To a server of one's own the site offers tools only where they are named.
        "CHAT_TOOLS": "chat.tools.clock.current_time,chat.tools.calculator.calculator,"
        "chat.tools.conversations.search_conversations",
        "CHAT_DEMO": "auto",
        "CHAT_SIGNUP": "closed",
        # A test is quicker than any person; those of the limits set their own.
        "CHAT_SENDS_PER_MINUTE": "10000",
        "CHAT_RUNNING_PER_USER": "10000",
        "CHAT_SOCKETS_PER_USER": "10000",
    }
)

if redis := os.environ.get("REDIS_URL"):
    # A database for each of the processes that run tests at once: they count sign-in attempts.
    number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    os.environ["REDIS_URL"] = f"{redis.rsplit('/', 1)[0]}/{1 + int(number)}"

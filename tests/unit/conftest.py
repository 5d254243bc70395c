"""How many cases the properties try: the same ones in every run."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile(
    "unit", derandomize=True, database=None, deadline=None, max_examples=80, print_blob=False
)
settings.load_profile("unit")

"""A log at a terminal, for `manage.py ask` and `manage.py tail`.

    prompt     what is asked: an argument, standard input, or both
    output     standard output: exact into a pipe, harmless on a terminal
    show       a log from any number on as text, events or one JSON object
    signals    Ctrl-C, and a reader that is gone

Nothing here starts an answer.
"""

from __future__ import annotations

"""Every state of the chat page with fixed words, for pictures, and for whoever changes the CSS.

Only with DEBUG. The pages come from the templates that the chat uses, and touch no database.

    texts      what people and Claude say in them
    pieces     messages and conversations that are never saved; what a script does to a page
    answers    states of an answer, one function each: its name is the address, its docstring
               the entry of the index
    pages      states of everything around the answers; error pages
    views      the index, and one page for each state, without script and websocket
"""

from __future__ import annotations

from chat.styleguide.views import index, state

__all__ = ["index", "state"]

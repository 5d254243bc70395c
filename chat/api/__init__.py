"""The site for programs: JSON and server-sent events, by session or by token.

    door           who asks, may they, and every error as JSON
    body           what a request holds, checked
    sse            a log as server-sent events, for as long as its reader may read
    prompt         POST /api/chat: a prompt in, its answer's text out
    approvals      POST /api/generations/<id>/approvals/<tool_use_id>: a word on a call of a tool
    log            GET /api/generations/<id>/events: a log from any number on
    timeline       GET /api/generations/<id>/timeline: when an answer did what
    conversations  /api/conversations: list, read, rename, delete, and their messages
    answers        one message, one generation; stop, retry, continue
    resources      what is given of them; pages: in parts; conditional: with an ETag
    openapi        the document of all this, made of operations and schemas
    reference      /api/schema and /api/: the document, and the same as a page
    outside        errors that no view answers, as JSON
    messages       POST /v1/messages: the site as a server of the Messages API
    message_reply  its answer, as a stream or whole; message_errors: its errors

A view takes the request and a Caller. Nothing here knows the page.
"""

from __future__ import annotations

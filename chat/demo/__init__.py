"""The offline model: a small HTTP server that speaks Anthropic's Messages API.

It stands in for Claude where no API key is set and in every test, so that the real SDK and the
real code path run without a network. It knows nothing of the chat site around it.

Path of a request: `server` (HTTP) -> `validation` -> `request` -> `scenarios` (which steps) ->
`player` (when) -> `message` (which events) -> `wire` (bytes).
"""

// Reads one request of an answer's log, as if it came from Claude.

import { Stream } from "@anthropic-ai/sdk/core/streaming";

const { CHAT_URL, CHAT_TOKEN, GENERATION, REQUEST } = process.env;
const response = await fetch(
  `${CHAT_URL}/api/generations/${GENERATION}/events?request=${REQUEST}`,
  { headers: { Authorization: `Bearer ${CHAT_TOKEN}` } },
);
const kinds = [];
let text = "";
for await (const event of Stream.fromSSEResponse(response, new AbortController())) {
  kinds.push(event.type);
  text += event.delta?.text ?? "";
}
console.log(JSON.stringify({ kinds, text }));

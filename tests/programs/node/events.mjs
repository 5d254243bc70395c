// A handler for each type of event; reads on where it was cut, as a browser's EventSource does.

import { lines } from "./answer.mjs";

const { CHAT_URL, CHAT_TOKEN, GENERATION, AT_MOST } = process.env;
const seen = [];
let lastId = "";
let hasEnded = false;
let text = "";

const handlers = {
  request: (data) => seen.push(`request ${data.number} to ${data.model}`),
  retry: (data) => seen.push(`retry: ${data.error_code}`),
  message_start: (data) => seen.push(`message ${data.message.role}`),
  content_block_start: (data) => seen.push(`block ${data.index} ${data.content_block.type}`),
  content_block_delta: (data) => (text += data.delta.text ?? ""),
  content_block_stop: (data) => seen.push(`end of block ${data.index}`),
  message_delta: (data) => seen.push(`stop reason ${data.delta.stop_reason}`),
  message_stop: () => seen.push("end of message"),
  error: (data) => seen.push(`error ${data.error.type}`),
  final: (data) => {
    hasEnded = true;
    seen.push(`${data.status} ${data.error_code}`.trim());
  },
};

/** Read until the end, or for so many events. */
async function follow(atMost) {
  const headers = { Authorization: `Bearer ${CHAT_TOKEN}`, "Last-Event-ID": lastId };
  const response = await fetch(`${CHAT_URL}/api/generations/${GENERATION}/events`, { headers });
  if (!response.ok) throw new Error(await response.text());
  let event = {};
  for await (const line of lines(response)) {
    const [, name, value] = /^(\w+): (.*)$/s.exec(line) ?? [];
    if (name) event[name] = value;
    if (line || !event.id) continue;
    handlers[event.event]?.(JSON.parse(event.data));
    lastId = event.id;
    event = {};
    if (--atMost === 0) return;
  }
}

let connections = 0;
while (!hasEnded) {
  connections++;
  await follow(Number(AT_MOST));
}
console.log(JSON.stringify({ seen, text, connections, lastId }));

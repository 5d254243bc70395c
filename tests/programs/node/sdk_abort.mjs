// Aborts a stream after some time, as a server that calls Claude does.

import { client, request } from "./sdk.mjs";

const AFTER_MS = 500;
const stream = client.messages.stream(request);
let abortedAt = 0;
setTimeout(() => {
  abortedAt = Date.now() / 1000;
  stream.abort();
}, AFTER_MS);
let text = "";
try {
  for await (const event of stream) text += event.delta?.text ?? "";
  console.log(JSON.stringify({ name: "none", abortedAt, text }));
} catch (error) {
  console.log(JSON.stringify({ name: error.constructor.name, abortedAt, text }));
}

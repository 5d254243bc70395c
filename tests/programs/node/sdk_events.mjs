// A handler for each type of event, and for what the SDK makes of them.

import { client, request } from "./sdk.mjs";

const seen = [];
let text = "";
const stream = client.messages.stream(request);
stream.on("streamEvent", (event) => seen.push(event.type));
stream.on("text", (piece) => (text += piece));
stream.on("contentBlock", (block) => seen.push(`whole ${block.type}`));
stream.on("finalMessage", (message) => seen.push(`${message.role} ${message.stop_reason}`));
stream.on("error", (error) => seen.push(`error: ${error.message}`));
try {
  await stream.finalMessage();
} catch {
  // The handler has told of it.
}
console.log(JSON.stringify({ seen: seen.filter((kind, at) => kind !== seen[at - 1]), text }));

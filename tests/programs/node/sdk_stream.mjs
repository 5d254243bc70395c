// Writes the text as it comes, then what the final message says.

import { client, request } from "./sdk.mjs";

const stream = client.messages.stream(request);
let text = "";
for await (const event of stream) {
  if (event.type === "content_block_delta" && event.delta.type === "text_delta") {
    text += event.delta.text;
  }
}
const { content, stop_reason, usage } = await stream.finalMessage();
console.log(JSON.stringify({ text, content, stop_reason, output_tokens: usage.output_tokens }));

// Puts together the input of a tool as it comes, and parses it when its block is whole.

import { client, request } from "./sdk.mjs";

const tools = [
  {
    name: "get_weather",
    description: "Get the weather of a place",
    input_schema: {
      type: "object",
      properties: { location: { type: "string" } },
      required: ["location"],
    },
  },
];
let input = "";
for await (const event of client.messages.stream({ ...request, tools })) {
  if (event.type === "content_block_start" && event.content_block.type === "tool_use") {
    console.log(JSON.stringify({ tool: event.content_block.name }));
  } else if (event.type === "content_block_delta" && event.delta.type === "input_json_delta") {
    input += event.delta.partial_json;
  } else if (event.type === "content_block_stop" && input) {
    console.log(JSON.stringify({ input: JSON.parse(input) }));
    input = "";
  }
}

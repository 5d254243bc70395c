// The official SDK, pointed at the site.

import Anthropic from "@anthropic-ai/sdk";

const { CHAT_URL, CHAT_TOKEN, PROMPT } = process.env;

export const client = new Anthropic({ baseURL: CHAT_URL, apiKey: CHAT_TOKEN, maxRetries: 0 });

export const request = {
  model: "claude-sonnet-5-5",
  max_tokens: 1024,
  messages: [{ role: "user", content: PROMPT }],
};

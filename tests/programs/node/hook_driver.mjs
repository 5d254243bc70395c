// A page that uses the hook of a file: React, a document, and fetch as a signed-in browser has it.

import { JSDOM } from "jsdom";

const { CHAT_URL, COOKIE, HOOK, PROMPTS, STOP_AFTER } = process.env;
const { window } = new JSDOM('<!doctype html><div id="root"></div>', { url: CHAT_URL });
for (const name of ["window", "document", "navigator"]) {
  Object.defineProperty(globalThis, name, { value: window[name], configurable: true });
}

// A browser sends its cookies to its own site, and says which page asks.
const { fetch } = globalThis;
globalThis.fetch = (address, options = {}) =>
  fetch(new URL(address, CHAT_URL), {
    ...options,
    headers: { ...options.headers, Cookie: COOKIE, Origin: CHAT_URL },
  });

const { createElement } = await import("react");
const { createRoot } = await import("react-dom/client");
const { flushSync } = await import("react-dom");
const { useStreamingChat } = await import(HOOK);

let chat;
const states = [];
function Page() {
  chat = useStreamingChat();
  const { messages, isLoading, streamingContent } = chat;
  states.push({ messages, isLoading, streamingContent });
  if (STOP_AFTER && streamingContent.length >= Number(STOP_AFTER)) chat.stopGeneration();
  return createElement("p", null, streamingContent);
}

const root = createRoot(window.document.getElementById("root"));
flushSync(() => root.render(createElement(Page)));
for (const prompt of JSON.parse(PROMPTS)) {
  await chat.sendMessage(prompt);
  // What it has set is rendered a moment later.
  while (chat.isLoading || chat.messages.at(-2) !== prompt) await new Promise(setImmediate);
}
console.log(JSON.stringify(states));
root.unmount();
window.close();

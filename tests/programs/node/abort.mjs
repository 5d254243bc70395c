// Aborts after some characters, as a cancel button does, and says what it had.

import { ask, pieces } from "./answer.mjs";

const { PROMPT, BACKGROUND, AFTER_CHARACTERS } = process.env;
const controller = new AbortController();
let text = "";
let abortedAt = 0;
try {
  const members = { message: PROMPT, background: BACKGROUND === "yes" };
  const response = await ask(members, { signal: controller.signal });
  for await (const piece of pieces(response)) {
    text += piece.text;
    if (text.length < Number(AFTER_CHARACTERS)) continue;
    abortedAt = Date.now() / 1000;
    controller.abort();
  }
} catch (error) {
  console.log(JSON.stringify({ name: error.name, abortedAt, text }));
}

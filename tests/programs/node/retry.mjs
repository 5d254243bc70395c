// Tries again while that can help: after what the site asks to wait, else after a growing time.

import { ask, pieces } from "./answer.mjs";

const ATTEMPTS = 3;
const FIRST_WAIT_MS = 200;

async function askWithRetry(message) {
  for (let attempt = 1; ; attempt++) {
    const response = await ask({ message });
    if (response.ok) return response;
    const { error } = await response.json();
    if (attempt === ATTEMPTS || !error.retryable) throw new Error(error.message);
    const asked = Number(response.headers.get("Retry-After")) * 1000;
    const wait = asked || FIRST_WAIT_MS * 2 ** (attempt - 1);
    console.log(JSON.stringify({ status: response.status, code: error.code, asked, wait }));
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

let answer = "";
for await (const piece of pieces(await askWithRetry(process.env.PROMPT))) answer += piece.text;
console.log(JSON.stringify({ answer }));

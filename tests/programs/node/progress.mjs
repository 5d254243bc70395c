// Says how many characters have come, as it goes.

import { ask, pieces } from "./answer.mjs";

let characters = 0;
for await (const piece of pieces(await ask({ message: process.env.PROMPT }))) {
  characters += piece.text.length;
  console.log(`Received ${characters} characters...`);
}

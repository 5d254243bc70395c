// Writes the answer to a prompt.

import { ask, pieces } from "./answer.mjs";

for await (const piece of pieces(await ask({ message: process.env.PROMPT }))) {
  process.stdout.write(piece.text);
}

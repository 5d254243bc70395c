// Writes whole words only, one write a line.

import { ask, pieces } from "./answer.mjs";

const display = (text) => console.log(JSON.stringify(text));

let buffer = "";
for await (const piece of pieces(await ask({ message: process.env.PROMPT }))) {
  buffer += piece.text;
  const end = buffer.lastIndexOf(" ") + 1;
  if (end > 0) {
    display(buffer.slice(0, end));
    buffer = buffer.slice(end);
  }
}
display(buffer);

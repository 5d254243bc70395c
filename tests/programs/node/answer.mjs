// Asks and reads as a careful program does: lines may come in any number of chunks.

const { CHAT_URL, CHAT_TOKEN } = process.env;

/** Ask for an answer; `members` are those of the request's body. */
export function ask(members, options = {}) {
  return fetch(`${CHAT_URL}/api/chat`, {
    method: "POST",
    headers: { Authorization: `Bearer ${CHAT_TOKEN}`, "Content-Type": "application/json" },
    body: JSON.stringify(members),
    ...options,
  });
}

/** Yield the pieces of an answer: `{text}`, or `{text: "", error}`. */
export async function* pieces(response) {
  if (!response.ok) throw new Error(`status ${response.status}: ${await response.text()}`);
  let isDone = false;
  for await (const line of lines(response)) {
    if (line === "data: [DONE]") isDone = true;
    else if (line.startsWith("data: ")) yield JSON.parse(line.slice("data: ".length));
  }
  if (!isDone) throw new Error("the stream was cut");
}

/** Yield the lines of a response without their ends. */
export async function* lines(response) {
  let rest = "";
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const found = (rest + text).split("\n");
    rest = found.pop();
    yield* found;
  }
}

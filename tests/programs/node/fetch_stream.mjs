// The plainest reader: each chunk is split by itself, and nothing of it is kept for the next.

const { CHAT_URL, CHAT_TOKEN, PROMPT, CONTENT_TYPE } = process.env;
const headers = { Authorization: `Bearer ${CHAT_TOKEN}` };
if (CONTENT_TYPE) headers["Content-Type"] = CONTENT_TYPE;

const response = await fetch(`${CHAT_URL}/api/chat`, {
  method: "POST",
  headers,
  body: JSON.stringify({ message: PROMPT }),
});
const reader = response.body.getReader();
const decoder = new TextDecoder();
for (;;) {
  const { done, value } = await reader.read();
  if (done) break;
  for (const line of decoder.decode(value).split("\n")) {
    if (!line.startsWith("data: ")) continue;
    const data = line.slice("data: ".length);
    if (data === "[DONE]") continue;
    process.stdout.write(JSON.parse(data).text);
  }
}

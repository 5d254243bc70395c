// The page's link to the site: a socket; where none opens, a stream of events, and where nothing
// comes by that, questions (chat/fallbacks.py). Who takes the frames is there already (page.html).
const CLOSE_NOT_ALLOWED = 4403; // chat/consumers.py
const CLOSE_TOO_MANY = 4429;
const RECONNECT_MAX_MS = 3000;
const TOO_MANY_MAX_MS = 30000;
const ACKNOWLEDGE_MS = 1000;
const ACKNOWLEDGE_FRAMES = 32;
const ACKNOWLEDGE_CHARS = 64_000;
const OPEN_MS = 12000; // The site itself waits 10 s for its database (chatsite/settings.py).
const SILENCE_MS = 10000;
const STREAM_OPEN_MS = 5000;
const STREAM_SILENCE_MS = 40000; // Two of its heartbeats are missing (chat/fallbacks.py).
const QUESTION_MS = 500; // An answer takes as long (chat/fallbacks.py): one a second.
const PONG_MS = 3000;
const PATIENCE_MAX_MS = 30000;
const PONG = "<!-- pong -->";
const FRAME_END = "\x1e"; // chat/fallbacks.py
const link = document.getElementById("link");
const offline = document.getElementById("offline");
let connection = null;
let patienceMs = PONG_MS;
let [received, acknowledged, newChars] = [0, 0, 0]; // frames, and characters not acknowledged
let [retries, failed] = [0, 0]; // attempts since something came, and before the first connection
let [listening, acknowledging] = [0, 0]; // timers

const position = () => {
  const message_id = [...document.querySelectorAll("[data-message]")].at(-1)?.dataset.message ?? 0;
  const shown = document.querySelectorAll(".message-status[data-generation]:not([data-seq=''])");
  const shown_id = Math.max(0, ...Array.from(shown, (status) => status.dataset.generation));
  const { generation, seq, held } = document.querySelector("[data-running]")?.dataset ?? {};
  // Without a seq it is shown in pieces that can't be gone on from.
  return { message_id, shown_id, generation_id: seq ? generation : 0, seq: seq || 0, held: held || 0 };
};

const pass = (frame) => document.dispatchEvent(new CustomEvent("frame", { detail: frame })); // steps.js

// messages.js counts the seconds down.
const show = (notice, seconds = 0) => {
  offline.innerHTML = notice.replace("%s", `<span data-countdown>${seconds}</span>`);
  offline.hidden = !notice;
};

// Jitter, so that a restarted site is not met by all pages at once.
const wait = (maxMs, notice = offline.dataset.reconnecting) => {
  const delayMs = (maxMs * (1 + Math.random())) / 2;
  show(notice, Math.ceil(delayMs / 1000));
  return delayMs;
};

const isOpen = () => connection?.readyState === WebSocket.OPEN;
const send = (message) => connection.send(JSON.stringify(message));

// What is not acknowledged is not followed by more (chat/relay/window.py). A hidden page has slow
// timers, so that it counts frames too.
const acknowledge = () => {
  clearTimeout(acknowledging);
  acknowledging = 0;
  if (!isOpen() || received === acknowledged) return;
  [acknowledged, newChars] = [received, 0];
  send({ verb: "have", frames: received });
};

// After a sleep a connection may be dead and nobody tells: a page that hears nothing asks.
const listen = (forMs, otherwise) => {
  clearTimeout(listening);
  listening = setTimeout(otherwise, forMs);
};

const ask = () => {
  if (!isOpen()) return;
  listen(patienceMs, renew);
  send({ verb: "ping" });
};

const renew = () => {
  // It may be slow, not dead: a large frame is not heard before its end.
  patienceMs = Math.min(2 * patienceMs, PATIENCE_MAX_MS);
  show(offline.dataset.reconnecting);
  connection.close();
  connect();
};

const noteOpen = () => {
  received = acknowledged = newChars = 0;
  failed = -Infinity;
  show("");
  listen(SILENCE_MS, ask);
  send({ verb: "follow", ...position() });
  document.querySelectorAll(".stop-button").forEach((button) => (button.disabled = false));
};

const noteMessage = ({ data }) => {
  listen(SILENCE_MS, ask);
  if (data === PONG) return (patienceMs = PONG_MS);
  received += 1;
  newChars += data.length;
  retries = 0; // It opens even where nothing can be read.
  if (received - acknowledged >= ACKNOWLEDGE_FRAMES || newChars >= ACKNOWLEDGE_CHARS) acknowledge();
  else acknowledging ||= setTimeout(acknowledge, ACKNOWLEDGE_MS);
  pass(data);
};

const noteClose = ({ target, code }) => {
  if (target !== connection) return; // Another one is in its place.
  clearTimeout(listening);
  if (code === CLOSE_NOT_ALLOWED) return show(offline.dataset.signedOut);
  if (++failed === 2) return stream();
  if (code === CLOSE_TOO_MANY) return setTimeout(connect, wait(TOO_MANY_MAX_MS, offline.dataset.tooMany));
  setTimeout(connect, wait(Math.min(1000 * 2 ** retries++, RECONNECT_MAX_MS)));
};

const connect = () => {
  const opening = new WebSocket(new URL(link.dataset.socket, location.href.replace("http", "ws")));
  Object.assign(opening, { onopen: noteOpen, onmessage: noteMessage, onclose: noteClose });
  // A browser tries for minutes, ever more seldom; a new attempt finds a network that is back.
  setTimeout(() => opening.readyState === WebSocket.CONNECTING && opening.close(), OPEN_MS);
  connection = opening;
};

const stream = () => {
  link.dataset.by = "events";
  const source = new EventSource(`${link.dataset.stream}?${new URLSearchParams(position())}`);
  source.onmessage = ({ data }) => {
    listen(STREAM_SILENCE_MS, () => leave(stream, 0));
    failed = 0;
    show("");
    pass(data);
  };
  const leave = (goOn, afterMs) => {
    clearTimeout(listening);
    source.close();
    setTimeout(goOn, afterMs);
  };
  // By itself it would come back with the position that it began with.
  source.onerror = () => (++failed > 1 ? leave(poll, wait(RECONNECT_MAX_MS)) : leave(stream, 0));
  // It begins at once, where nothing on its way waits for its end.
  listen(STREAM_OPEN_MS, () => leave(poll, 0));
};

const poll = async () => {
  link.dataset.by = "polling";
  try {
    // As htmx asks: who is signed out gets a 403, not a page to sign in on.
    const options = { headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(PATIENCE_MAX_MS) };
    const response = await fetch(`${link.dataset.changes}?${new URLSearchParams(position())}`, options);
    if (response.status === 403) return show(offline.dataset.signedOut);
    if (!response.ok) throw new Error(response.status);
    (await response.text()).split(FRAME_END).forEach(pass);
    show("");
    setTimeout(poll, QUESTION_MS);
  } catch {
    setTimeout(poll, wait(RECONNECT_MAX_MS));
  }
};

// A form says whether there is a link: what that delivers is not answered twice.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.verb === "post") detail.parameters.socket = isOpen() || link?.dataset.by ? "open" : "closed";
});

window.addEventListener("online", () => (isOpen() ? ask() : connection?.close()));
document.addEventListener("visibilitychange", () => document.hidden || ask());

// With a socket there is no need for the button's POST.
document.addEventListener("htmx:beforeRequest", (event) => {
  const button = event.detail.elt;
  if (!button.matches(".stop-button") || !isOpen()) return;
  event.preventDefault();
  send({ verb: "stop", generation_id: Number(button.dataset.generation) });
  button.disabled = true;
});

if (link) connect();

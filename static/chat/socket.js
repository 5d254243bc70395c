// The page's link to the site: a socket; where none opens, a stream of events, and where nothing
// comes by that, questions (chat/fallbacks.py).
const CLOSE_NOT_ALLOWED = 4403; // chat/consumers.py
const CLOSE_TOO_MANY = 4429;
const RECONNECT_MAX_MS = 3000;
const TOO_MANY_MAX_MS = 30000;
const ACKNOWLEDGE_MS = 250;
const ACKNOWLEDGE_FRAMES = 32;
const OPEN_MS = 12000; // The site itself waits 10 s for its database (chatsite/settings.py).
const SILENCE_MS = 10000;
const STREAM_OPEN_MS = 5000;
const PONG_MS = 3000;
const PATIENCE_MAX_MS = 30000;
const PONG = "<!-- pong -->";
let connection = null;
let patienceMs = PONG_MS;
let [received, acknowledged] = [0, 0]; // frames
let [retries, failed] = [0, 0]; // attempts since the last connection, and before the first
let [listening, acknowledging, countdown] = [0, 0, 0]; // timers
let fallback = ""; // or what is used in the place of a socket: "events", "polling"

const byId = (id) => document.getElementById(id);
const offline = byId("offline");

const position = () => {
  const message_id = [...document.querySelectorAll("[data-message]")].at(-1)?.dataset.message ?? 0;
  const shown = document.querySelectorAll(".message-status[data-generation]:not([data-seq=''])");
  const shown_id = Math.max(0, ...Array.from(shown, (status) => status.dataset.generation));
  const { generation, seq, held } = document.querySelector("[data-running]")?.dataset ?? {};
  // Without a seq it is shown in pieces that can't be gone on from.
  return { message_id, shown_id, generation_id: seq ? generation : 0, seq: seq || 0, held: held || 0 };
};

const show = (notice) => {
  clearInterval(countdown);
  Object.assign(offline, { textContent: notice, hidden: !notice });
};

// Jitter, so that a restarted site is not met by all pages at once.
const wait = (maxMs, text = offline.dataset.reconnecting) => {
  const delayMs = (maxMs * (1 + Math.random())) / 2;
  let left = Math.ceil(delayMs / 1000);
  const sentence = () => text.replace("%s", Math.max(0, left--));
  show(sentence());
  countdown = setInterval(() => (offline.textContent = sentence()), 1000);
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
  acknowledged = received;
  send({ verb: "have", frames: received });
};

// After a sleep a connection may be dead and nobody tells: a page that hears nothing asks.
const listen = () => {
  clearTimeout(listening);
  listening = setTimeout(ask, SILENCE_MS);
};

const ask = () => {
  if (!isOpen()) return;
  clearTimeout(listening);
  listening = setTimeout(renew, patienceMs);
  send({ verb: "ping" });
};

const renew = () => {
  const dead = connection;
  // It may be slow, not dead: a large frame is not heard before its end.
  patienceMs = Math.min(2 * patienceMs, PATIENCE_MAX_MS);
  show(offline.dataset.reconnecting.replace("%s", 0));
  connect();
  dead.close();
};

const noteOpen = () => {
  received = acknowledged = retries = 0;
  failed = -Infinity;
  show("");
  listen();
  send({ verb: "follow", ...position() });
  document.querySelectorAll(".stop-button").forEach((button) => (button.disabled = false));
};

const noteMessage = ({ data }) => {
  listen();
  if (data === PONG) return (patienceMs = PONG_MS);
  received += 1;
  if (received - acknowledged >= ACKNOWLEDGE_FRAMES) acknowledge();
  else acknowledging ||= setTimeout(acknowledge, ACKNOWLEDGE_MS);
  document.dispatchEvent(new CustomEvent("frame", { detail: data }));
};

const noteClose = ({ target, code }) => {
  if (target !== connection) return; // Another one is in its place.
  clearTimeout(listening);
  const { signedOut, tooMany, reconnecting } = offline.dataset;
  if (code === CLOSE_NOT_ALLOWED) return show(signedOut);
  if (++failed === 2) return fallBackTo("events");
  const isTooMany = code === CLOSE_TOO_MANY;
  const maxMs = isTooMany ? TOO_MANY_MAX_MS : Math.min(1000 * 2 ** retries++, RECONNECT_MAX_MS);
  setTimeout(connect, wait(maxMs, isTooMany ? tooMany : reconnecting));
};

const connect = () => {
  const opening = new WebSocket(new URL(byId("link").dataset.socket, location.href.replace("http", "ws")));
  Object.assign(opening, { onopen: noteOpen, onmessage: noteMessage, onclose: noteClose });
  // A browser tries for minutes, ever more seldom; a new attempt finds a network that is back.
  setTimeout(() => opening.readyState === WebSocket.CONNECTING && opening.close(), OPEN_MS);
  connection = opening;
};

// A template holds the link that takes the place of the socket's.
const fallBackTo = (name) => {
  clearTimeout(listening);
  fallback = name;
  byId("link").replaceWith(byId(`link-by-${name}`).content.cloneNode(true));
  htmx.process(byId("link"));
};

htmx.createEventSource = (url) => {
  // A stream begins at once, where nothing on its way waits for its end.
  listening = setTimeout(fallBackTo, STREAM_OPEN_MS, "polling");
  return new EventSource(`${url}?${new URLSearchParams(position())}`);
};

document.addEventListener("htmx:sseBeforeMessage", () => {
  clearTimeout(listening);
  failed = 0;
  show("");
});

// By itself it would come back with the position that it began with.
document.addEventListener("htmx:sseError", ({ detail: { source } }) => {
  clearTimeout(listening);
  failed += 1;
  setTimeout(() => {
    source.close();
    fallBackTo(failed > 1 ? "polling" : "events");
  }, failed > 1 ? wait(RECONNECT_MAX_MS) : 0);
});

document.addEventListener("htmx:afterRequest", ({ detail: { elt, successful, xhr } }) => {
  if (elt.id !== "link") return;
  if (successful) show("");
  else if (xhr.status === 403) {
    elt.remove();
    show(offline.dataset.signedOut);
  } else wait(RECONNECT_MAX_MS);
});

// A form says whether there is a link: what that delivers is not answered twice.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.verb === "post") detail.parameters.socket = isOpen() || fallback ? "open" : "closed";
  if (detail.elt.id === "link") Object.assign(detail.parameters, position());
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

if (byId("link")) connect();

// The page's link to the site: says what the page shows, takes what comes, sends Stop.
// htmx-ext-ws opens a socket and swaps what comes. Its address is fixed, so that the page's
// position goes in the first message (chat/relay/position.py). Where no socket opens, the page
// takes a stream of events, and where nothing comes by that it asks (chat/fallbacks.py).
const CLOSE_NOT_ALLOWED = 4403; // chat/consumers.py
const CLOSE_TOO_MANY = 4429;
const CLOSE_TRY_AGAIN = 4503; // After 1006 and 1011 to 1013 the extension comes back by itself.
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
let socket = null;
let connection = null;
let patienceMs = PONG_MS;
let [received, acknowledged, failed] = [0, 0, 0]; // frames, frames, attempts before the first socket
let [listening, acknowledging, countdown] = [0, 0, 0]; // timers
let status = null; // of the answer that is being written, as the page shows it
let fallback = ""; // or what is used in the place of a socket: "events", "polling"

const byId = (id) => document.getElementById(id);
const offline = byId("offline");
const running = () => {
  if (!status?.isConnected) status = document.querySelector("[data-running]");
  return status?.dataset;
};

const position = () => {
  const last = [...document.querySelectorAll("[data-message]")].at(-1);
  const shown = document.querySelectorAll(".message-status[data-generation]");
  const shown_id = Math.max(0, ...Array.from(shown, (status) => status.dataset.generation));
  const { generation = 0, seq, held = 0 } = running() ?? {};
  const generation_id = seq ? generation : 0; // Else it is shown in pieces that can't be gone on from.
  return { message_id: last?.dataset.message ?? 0, generation_id, seq: seq || 0, held, shown_id };
};

const showOffline = (text) => {
  clearInterval(countdown);
  Object.assign(offline, { textContent: text, hidden: false });
};

const showOnline = () => {
  clearInterval(countdown);
  offline.hidden = true;
};

// Jitter, so that a restarted site is not met by all pages at once.
const wait = (maxMs, text = offline.dataset.reconnecting) => {
  const delayMs = maxMs / 2 + (Math.random() * maxMs) / 2;
  const until = Date.now() + delayMs;
  const left = () => Math.max(0, Math.ceil((until - Date.now()) / 1000));
  const tick = () => (offline.textContent = text.replace("%s", left()));
  showOffline("");
  countdown = setInterval(tick, 1000);
  tick();
  return delayMs;
};

// What is not acknowledged is not followed by more (chat/relay/window.py). Timers of a hidden
// page are slow, so that a number of frames is enough too.
const acknowledge = () => {
  clearTimeout(acknowledging);
  acknowledging = 0;
  if (!socket || received === acknowledged) return;
  acknowledged = received;
  socket.sendImmediately(JSON.stringify({ verb: "have", frames: received }));
};

// After a sleep, or with another network, a connection may be dead and nobody tells: a page that
// hears nothing asks, and opens a new one where no answer comes.
const listen = () => {
  clearTimeout(listening);
  listening = setTimeout(ask, SILENCE_MS);
};

const ask = () => {
  if (!socket) return;
  clearTimeout(listening);
  listening = setTimeout(renew, patienceMs);
  socket.sendImmediately('{"verb": "ping"}');
};

const renew = () => {
  if (!socket) return;
  // It may be slow, not dead: of a large frame nothing is heard before its end.
  patienceMs = Math.min(2 * patienceMs, PATIENCE_MAX_MS);
  const { reconnect } = socket;
  socket = null;
  connection.onclose = null; // It may come late, when the new one is open.
  showOffline(offline.dataset.reconnecting.replace("%s", 0));
  reconnect();
};

// A browser tries for minutes, ever more seldom; a new attempt finds a network that is back.
htmx.createWebSocket = (url) => {
  const opened = (connection = new WebSocket(url));
  setTimeout(() => opened.readyState === WebSocket.CONNECTING && opened.close(), OPEN_MS);
  return opened;
};

htmx.config.wsReconnectDelay = (retries) => wait(Math.min(1000 * 2 ** retries, RECONNECT_MAX_MS));

document.addEventListener("htmx:wsOpen", (event) => {
  socket = event.detail.socketWrapper;
  received = acknowledged = 0;
  failed = -Infinity;
  showOnline();
  listen();
  socket.sendImmediately(JSON.stringify({ verb: "follow", ...position() }));
  document.querySelectorAll(".stop-button").forEach((button) => (button.disabled = false));
});

const noteFrame = () => {
  received += 1;
  if (received - acknowledged >= ACKNOWLEDGE_FRAMES) acknowledge();
  else acknowledging ||= setTimeout(acknowledge, ACKNOWLEDGE_MS);
};

document.addEventListener("htmx:wsBeforeMessage", ({ detail: { message } }) => {
  listen();
  if (message === PONG) patienceMs = PONG_MS;
  else noteFrame();
});

document.addEventListener("htmx:wsClose", ({ detail: { event, socketWrapper } }) => {
  socket = null;
  clearTimeout(listening);
  if (event.code === CLOSE_NOT_ALLOWED) showOffline(offline.dataset.signedOut);
  // The site closed what it had opened: back then, but not as soon as after a lost connection.
  const isTooMany = event.code === CLOSE_TOO_MANY;
  if (isTooMany) setTimeout(socketWrapper.reconnect, wait(TOO_MANY_MAX_MS, offline.dataset.tooMany));
  if (event.code === CLOSE_TRY_AGAIN) setTimeout(socketWrapper.reconnect, wait(RECONNECT_MAX_MS));
  if (++failed === 2) fallBackTo("events");
});

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
  showOnline();
});

// The position that what was taken leads to (steps.js).
document.addEventListener("steps", ({ detail }) => {
  if (running()) Object.assign(running(), { seq: detail.seq ?? "", held: detail.held ?? "" });
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
  if (successful) showOnline();
  else if (xhr.status === 403) {
    elt.remove();
    showOffline(offline.dataset.signedOut);
  } else wait(RECONNECT_MAX_MS);
});

// A form says whether there is a link: what that delivers is not answered twice.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.verb === "post") detail.parameters.socket = socket || fallback ? "open" : "closed";
  if (detail.elt.id === "link") Object.assign(detail.parameters, position());
});

window.addEventListener("online", () => (socket ? ask() : connection?.close()));
document.addEventListener("visibilitychange", () => document.hidden || ask());

// In the capture phase, before htmx: with a socket there is no need for its POST.
document.addEventListener(
  "click",
  (event) => {
    const button = event.target.closest(".stop-button");
    if (!button || !socket) return;
    event.preventDefault();
    event.stopPropagation();
    const { generation } = button.dataset;
    socket.sendImmediately(JSON.stringify({ verb: "stop", generation_id: Number(generation) }));
    button.disabled = true;
  },
  true,
);

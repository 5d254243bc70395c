// The page's socket: says what the page shows, sends Stop, tells of a lost connection.
// htmx-ext-ws opens it, swaps what comes, and opens it again; the URL is fixed, so that the
// page's position goes in the first message (chat/relay/position.py reads it).
(() => {
  "use strict";
  // chat/consumers.py; the extension comes back after 1006, 1011, 1012 and 1013 by itself.
  const CLOSE_NOT_ALLOWED = 4403;
  const CLOSE_TOO_MANY = 4429;
  const CLOSE_TRY_AGAIN = 4503;
  const RECONNECT_MAX_MS = 4000;
  const TOO_MANY_MAX_MS = 30000;
  const ACKNOWLEDGE_MS = 250;
  const ACKNOWLEDGE_FRAMES = 32;
  const OPEN_MS = 12000; // The site itself waits 10 s for its database (chatsite/settings.py).
  const SILENCE_MS = 10000;
  const PONG_MS = 3000;
  const PATIENCE_MAX_MS = 30000;
  const PONG = "<!-- pong -->";
  let socket = null;
  let connection = null;
  let patienceMs = PONG_MS;
  let [received, acknowledged] = [0, 0]; // frames
  let [listening, acknowledging, countdown] = [0, 0, 0]; // timers

  const offline = () => document.getElementById("offline");

  const position = () => {
    const messages = document.querySelectorAll("[data-message]");
    const running = document.querySelector("[data-seq]");
    const shown = document.querySelectorAll(".message-status[data-generation]");
    return {
      verb: "follow",
      message_id: messages.length ? Number(messages[messages.length - 1].dataset.message) : 0,
      generation_id: running ? Number(running.dataset.generation) : 0,
      seq: running ? Number(running.dataset.seq) : 0,
      held: running ? Number(running.dataset.held) : 0,
      shown_id: Math.max(0, ...Array.from(shown, (status) => Number(status.dataset.generation))),
    };
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
    showOffline(offline().dataset.reconnecting.replace("%s", 0));
    reconnect();
  };

  // A browser tries for minutes, ever more seldom; a new attempt finds a network that is back.
  htmx.createWebSocket = (url) => {
    const opened = (connection = new WebSocket(url));
    setTimeout(() => opened.readyState === WebSocket.CONNECTING && opened.close(), OPEN_MS);
    return opened;
  };

  const showOffline = (text) => Object.assign(offline(), { textContent: text, hidden: false });

  const countDown = (delayMs, text) => {
    clearInterval(countdown);
    const until = Date.now() + delayMs;
    const tick = () => {
      const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
      showOffline(text.replace("%s", seconds));
    };
    tick();
    countdown = setInterval(tick, 1000);
  };

  // Jitter, so that a restarted site is not met by all pages at once.
  const wait = (maxMs, text) => {
    const delayMs = maxMs / 2 + (Math.random() * maxMs) / 2;
    countDown(delayMs, text);
    return delayMs;
  };

  htmx.config.wsReconnectDelay = (retries) =>
    wait(Math.min(1000 * 2 ** retries, RECONNECT_MAX_MS), offline().dataset.reconnecting);

  // The site closed what it had opened: back then, but not as soon as after a lost connection.
  const comeBack = (code, socketWrapper) => {
    const { reconnecting, tooMany } = offline().dataset;
    const isTooMany = code === CLOSE_TOO_MANY;
    const maxMs = isTooMany ? TOO_MANY_MAX_MS : RECONNECT_MAX_MS;
    setTimeout(socketWrapper.reconnect, wait(maxMs, isTooMany ? tooMany : reconnecting));
  };

  document.addEventListener("htmx:wsOpen", (event) => {
    socket = event.detail.socketWrapper;
    received = acknowledged = 0;
    clearInterval(countdown);
    offline().hidden = true;
    listen();
    socket.sendImmediately(JSON.stringify(position()));
    document.querySelectorAll(".stop-button").forEach((button) => (button.disabled = false));
  });

  document.addEventListener("htmx:wsAfterMessage", (event) => {
    listen();
    if (event.detail.message === PONG) return (patienceMs = PONG_MS);
    received += 1;
    if (received - acknowledged >= ACKNOWLEDGE_FRAMES) acknowledge();
    else acknowledging ||= setTimeout(acknowledge, ACKNOWLEDGE_MS);
  });

  document.addEventListener("htmx:wsClose", (event) => {
    const { code } = event.detail.event;
    socket = null;
    clearTimeout(listening);
    if (code === CLOSE_NOT_ALLOWED) {
      clearInterval(countdown);
      showOffline(offline().dataset.signedOut);
    } else if (code === CLOSE_TOO_MANY || code === CLOSE_TRY_AGAIN) {
      comeBack(code, event.detail.socketWrapper);
    }
  });

  // A form says whether there is a socket: what that delivers is not answered twice.
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb === "post") event.detail.parameters.socket = socket ? "open" : "closed";
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
      const stop = { verb: "stop", generation_id: Number(button.dataset.generation) };
      socket.sendImmediately(JSON.stringify(stop));
      button.disabled = true;
    },
    true,
  );
})();

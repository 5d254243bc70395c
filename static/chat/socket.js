// The page's socket: says what the page shows, sends Stop, tells of a lost connection.
// htmx-ext-ws opens it, swaps what comes, and opens it again; the URL is fixed, so that the
// page's position goes in the first message (chat/relay/position.py reads it).
(() => {
  "use strict";
  const CLOSE_NOT_ALLOWED = 4403;
  const RECONNECT_MAX_MS = 4000;
  const ACKNOWLEDGE_MS = 250;
  const ACKNOWLEDGE_FRAMES = 32;
  let socket = null;
  let received = 0;
  let acknowledged = 0;
  let acknowledging = 0;
  let countdown = 0;

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

  const showOffline = (text) => {
    offline().textContent = text;
    offline().hidden = false;
  };

  const countDown = (delayMs) => {
    clearInterval(countdown);
    const until = Date.now() + delayMs;
    const tick = () => {
      const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
      showOffline(offline().dataset.reconnecting.replace("%s", seconds));
    };
    tick();
    countdown = setInterval(tick, 1000);
  };

  // Jitter, so that a restarted site is not met by all pages at once.
  htmx.config.wsReconnectDelay = (retries) => {
    const ceiling = Math.min(1000 * 2 ** retries, RECONNECT_MAX_MS);
    const delayMs = ceiling / 2 + (Math.random() * ceiling) / 2;
    countDown(delayMs);
    return delayMs;
  };

  document.addEventListener("htmx:wsOpen", (event) => {
    socket = event.detail.socketWrapper;
    received = acknowledged = 0;
    clearInterval(countdown);
    offline().hidden = true;
    socket.sendImmediately(JSON.stringify(position()));
    document.querySelectorAll(".stop-button").forEach((button) => (button.disabled = false));
  });

  document.addEventListener("htmx:wsAfterMessage", () => {
    received += 1;
    if (received - acknowledged >= ACKNOWLEDGE_FRAMES) acknowledge();
    else acknowledging ||= setTimeout(acknowledge, ACKNOWLEDGE_MS);
  });

  document.addEventListener("htmx:wsClose", (event) => {
    socket = null;
    if (event.detail.event.code === CLOSE_NOT_ALLOWED) {
      clearInterval(countdown);
      showOffline(offline().dataset.signedOut);
    }
  });

  // A form says whether there is a socket: what that delivers is not answered twice.
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb === "post") event.detail.parameters.socket = socket ? "open" : "closed";
  });

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

// The list of messages: follows the newest line while the reader is at the bottom, counts seconds.
const AT_BOTTOM_PX = 60;
const list = document.getElementById("conversation");
const jump = document.getElementById("jump");
let isFollowing = true;
let lastTop = 0;

// Any step up lets go of the newest line, however small; coming near it takes hold again.
const noteReader = () => {
  const below = list.scrollHeight - list.scrollTop - list.clientHeight;
  if (list.scrollTop < lastTop && below > 1) setFollowing(false);
  else if (below < AT_BOTTOM_PX) setFollowing(true);
  lastTop = list.scrollTop;
};

const setFollowing = (isOn) => {
  if (isFollowing !== isOn) jump.hidden = isFollowing = isOn;
};

const follow = () => {
  list.scrollTop = list.scrollHeight;
  lastTop = list.scrollTop;
};

list.addEventListener("scroll", noteReader);
// The reader may have moved so lately that the scroll event comes after the next words. These are
// followed as soon as they stand there: done within a frame, its scroll event takes another one.
document.addEventListener("frame", () => {
  noteReader();
  queueMicrotask(() => isFollowing && !document.hidden && follow()); // behind steps.js
});

// An answer is busy for as long as its status says so.
list.addEventListener("htmx:oobAfterSwap", () => {
  const ended = list.querySelectorAll("[aria-busy]:not(:has([data-running]))");
  ended.forEach((message) => message.removeAttribute("aria-busy"));
});

// What is out of sight has its true height only when it is shown (chat.css).
const keepUp = new ResizeObserver(() => isFollowing && follow());
for (const id of ["conversation", "messages"]) keepUp.observe(document.getElementById(id));

jump.addEventListener("click", () => {
  setFollowing(true);
  follow();
});

// What a person sends they want to see, wherever they had scrolled to.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.id === "composer") setFollowing(true);
});

setInterval(() => {
  for (const clock of document.querySelectorAll("[data-clock], [data-countdown]")) {
    const step = "clock" in clock.dataset ? 1 : -1;
    clock.textContent = Math.max(0, Number(clock.textContent) + step);
  }
}, 1000);

follow();

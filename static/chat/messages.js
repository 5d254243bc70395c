// The list of messages: follows the newest line while the reader is at the bottom, counts seconds.
const AT_BOTTOM_PX = 60;
const list = document.getElementById("conversation");
const jump = document.getElementById("jump");
let isFollowing = true;
let lastTop = 0;

const follow = () => {
  list.scrollTop = list.scrollHeight;
  lastTop = list.scrollTop;
};

// Any step up lets go of the newest line, however small; coming near it takes hold again.
const noteReader = () => {
  const below = list.scrollHeight - list.scrollTop - list.clientHeight;
  if (list.scrollTop < lastTop && below > 1) isFollowing = false;
  else if (below < AT_BOTTOM_PX) isFollowing = true;
  lastTop = list.scrollTop;
  jump.hidden = isFollowing;
};

const noteNews = () => {
  // An answer is busy for as long as its status says so.
  for (const message of list.querySelectorAll("[aria-busy]")) {
    if (!message.querySelector("[data-running]")) message.removeAttribute("aria-busy");
  }
  if (isFollowing) follow();
};

list.addEventListener("scroll", noteReader);
// A step may be so fresh that its scroll event comes after the next words.
document.addEventListener("htmx:wsBeforeMessage", noteReader);
document.addEventListener("htmx:sseBeforeMessage", noteReader);
document.addEventListener("htmx:wsAfterMessage", noteNews);
document.addEventListener("htmx:sseMessage", noteNews);
document.addEventListener("htmx:afterRequest", (event) => event.detail.elt.id === "link" && noteNews());

jump.addEventListener("click", () => {
  isFollowing = true;
  follow();
});

// What a person sends they want to see, wherever they had scrolled to.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.id === "composer") isFollowing = true;
  if (event.detail.elt.id === "link") noteReader();
});

// A parser drops rows without a table around them, so that they come in one (chat/fragments.py).
list.addEventListener("htmx:oobBeforeSwap", ({ detail: { target, fragment } }) => {
  if (target.localName === "tbody") fragment.replaceChildren(...fragment.querySelectorAll("tr"));
});

setInterval(() => {
  for (const clock of document.querySelectorAll("[data-clock], [data-countdown]")) {
    const step = "clock" in clock.dataset ? 1 : -1;
    clock.textContent = Math.max(0, Number(clock.textContent) + step);
  }
}, 1000);

follow();

// Takes frames: most are steps of a text that grows (chat/fragments.py), htmx swaps the others.
const PART_BLOCKS = 12;
const FRAME_END = "\x1e"; // chat/fallbacks.py
const list = document.getElementById("messages");

// What grows is laid out with all that stands beside it. So the blocks of a long text stand in
// parts, which cost nothing where they are out of sight (chat.css).
const lastPart = (text) => (text?.lastElementChild?.className === "part" ? text.lastElementChild : text);

const drop = (text, number) => {
  for (let left = number; left > 0; left -= 1) {
    const part = lastPart(text);
    part.lastElementChild?.remove();
    if (part !== text && !part.firstChild) part.remove();
  }
};

const partToGrow = (text) => {
  const part = lastPart(text);
  if (!text.matches(".block-text") || part.childElementCount < PART_BLOCKS) return part;
  text.append(Object.assign(document.createElement("div"), { className: "part" }));
  return text.lastElementChild;
};

const takeStep = ([id, depth, drops, markup]) => {
  let place = document.getElementById(id);
  if (depth) place = lastPart(place);
  for (let level = 0; level < depth; level += 1) place = place?.lastElementChild;
  if (!place) return; // It is not on this page.
  if (drops < 0) place.replaceChildren();
  else drop(place, drops);
  if (!markup) return;
  if (!depth) place = partToGrow(place);
  const text = place.lastChild;
  if (text?.nodeType === Node.TEXT_NODE && !/[<&]/.test(markup)) text.appendData(markup);
  else place.insertAdjacentHTML("beforeend", markup);
};

const takeSteps = ([seq, held, ...steps]) => {
  steps.forEach(takeStep);
  const running = list.lastElementChild?.querySelector(":scope > [data-running]");
  if (running) Object.assign(running.dataset, { seq: seq ?? "", held: held ?? "" });
};

const take = (frame) => {
  if (frame[0] === "[") takeSteps(JSON.parse(frame));
  else htmx.swap("#link", frame, { swapStyle: "none", settleDelay: 0 });
  document.dispatchEvent(new Event("taken"));
};

const pass = (frame) => document.dispatchEvent(new CustomEvent("frame", { detail: frame }));

document.addEventListener("frame", ({ detail }) => take(detail));

document.addEventListener("htmx:sseBeforeMessage", (event) => {
  event.preventDefault();
  pass(event.detail.data);
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.elt.id !== "link") return;
  detail.shouldSwap = false;
  detail.serverResponse.split(FRAME_END).forEach(pass);
});

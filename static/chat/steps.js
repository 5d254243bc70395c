// Takes frames: most are steps of a text that grows (chat/fragments.py), htmx swaps the others.
const PART_BLOCKS = 12;

// What grows is laid out with all that stands beside it. So the blocks of a long text stand in
// parts, which cost nothing where they are out of sight (chat.css).
const lastPart = (text) => (text?.lastElementChild?.className === "part" ? text.lastElementChild : text);

const dropLast = (text) => {
  const part = lastPart(text);
  part.lastElementChild?.remove();
  if (part !== text && !part.firstChild) part.remove();
};

const partToGrow = (text) => {
  const part = lastPart(text);
  if (part.childElementCount < PART_BLOCKS) return part;
  return text.appendChild(Object.assign(document.createElement("div"), { className: "part" }));
};

const takeStep = ([id, depth, drops, markup]) => {
  let place = document.getElementById(id);
  if (depth) place = lastPart(place);
  for (let level = 0; level < depth; level += 1) place = place?.lastElementChild;
  if (!place) return; // It is not on this page.
  if (drops < 0) place.replaceChildren();
  else if (drops) dropLast(place);
  if (!depth && markup) place = partToGrow(place);
  const last = place.lastChild;
  if (last instanceof Text && !/[<&]/.test(markup)) last.appendData(markup);
  else place.insertAdjacentHTML("beforeend", markup);
};

const takeSteps = ([generation, seq, held, ...steps]) => {
  steps.forEach(takeStep);
  const status = document.getElementById(`status-${generation}`);
  if (status) Object.assign(status.dataset, { seq: seq ?? "", held: held ?? "" });
};

document.addEventListener("frame", ({ detail: frame }) => {
  if (frame[0] === "[") takeSteps(JSON.parse(frame));
  else htmx.swap("#link", frame, { swapStyle: "none", settleDelay: 0 });
});

// Takes frames: most are steps of a text that grows (chat/fragments.py), htmx swaps the others.
const PART_SIZE = 12;

// What grows is laid out with all that stands beside it. So the blocks of a long text stand in
// parts, and those in parts again, which cost nothing where they are out of sight (chat.css).
const isPart = (element) => element?.className === "part";
const addPart = (place) => place.appendChild(Object.assign(document.createElement("div"), { className: "part" }));
const hasRoom = (place) => place.childElementCount < PART_SIZE;

const lastPart = (text) => {
  let part = text;
  while (isPart(part?.lastElementChild)) part = part.lastElementChild;
  return part;
};

const dropLast = (text) => {
  let part = lastPart(text);
  part.lastElementChild?.remove();
  for (; part !== text && !part.firstChild; part = lastPart(text)) part.remove();
};

const partToGrow = (text) => {
  const part = lastPart(text);
  if (hasRoom(part)) return part;
  const around = part.parentElement;
  return addPart(isPart(around) && hasRoom(around) ? around : addPart(text));
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

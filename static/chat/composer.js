// The composer: growing, drafts, and a prompt that is never lost while it is on its way.
const composer = () => document.getElementById("composer");
const field = () => document.getElementById("composer-text");
const draft = () => `draft:${field().dataset.draft}`;

// Browsers without `field-sizing: content` let the field grow by hand.
const grow = () => {
  if (CSS.supports("field-sizing", "content")) return;
  field().style.height = "auto";
  field().style.height = `${field().scrollHeight}px`;
};

const error = () => document.getElementById("composer-error");

const setSending = (isSending) => {
  field().readOnly = isSending;
  composer().ariaBusy = String(isSending);
};

document.addEventListener("input", (event) => {
  if (event.target !== field()) return;
  grow();
  try {
    localStorage.setItem(draft(), field().value);
  } catch {
    // Too long, or not allowed: it lives as long as the page.
  }
});

// htmx does not see a button outside of its form: the examples.
document.addEventListener("htmx:configRequest", (event) => {
  const button = event.detail.triggeringEvent?.submitter;
  if (button?.name) event.detail.parameters[button.name] = button.value;
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt === composer()) setSending(true);
  if (event.detail.requestConfig.verb === "post") error().hidden = true;
});

document.addEventListener("htmx:afterRequest", (event) => {
  const { requestConfig, xhr } = event.detail;
  if (requestConfig.elt.id !== "composer") return; // It may have been swapped away.
  setSending(false);
  // htmx calls no redirect successful.
  if (xhr.status === 200) return localStorage.removeItem(draft());
  if (xhr.getResponseHeader("HX-Retarget")) return;
  const { tooLarge, sendFailed } = composer().dataset;
  Object.assign(error(), { textContent: xhr.status === 413 ? tooLarge : sendFailed, hidden: false });
});

// htmx swaps no error; this header marks a refused prompt that comes back in its composer.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.getResponseHeader("HX-Retarget")) event.detail.shouldSwap = true;
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id === "composer") field().focus();
});

// The focus of a button that was swapped away goes on to the field, unless words are selected.
document.addEventListener("htmx:oobAfterSwap", (event) => {
  const isLost = document.activeElement === document.body && getSelection().isCollapsed;
  if (isLost && event.detail.target.id === "composer-actions") field().focus();
});

document.addEventListener("submit", (event) => {
  if (event.target.id !== "sign-out") return;
  for (const key of Object.keys(localStorage)) if (key.startsWith("draft:")) localStorage.removeItem(key);
});

field().value ||= localStorage.getItem(draft()) ?? "";
grow();

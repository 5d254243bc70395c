// The keys of the page, as its list of keys says them (templates/chat/_keys.html).
document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return; // An input method is at work.
  const click = (selector) => document.querySelector(selector)?.click();
  const isField = event.target.matches("input:not([type=checkbox]), textarea, select");
  if (event.key === "Escape" && !document.querySelector("[popover]:popover-open")) click(".stop-button");
  else if (event.key === "?" && !isField) document.getElementById("keys").togglePopover();
  else if (event.key.toLowerCase() === "o" && event.shiftKey && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    click(".new-chat");
  } else if (event.key === "Enter" && !event.shiftKey && event.target.id === "composer-text") {
    event.preventDefault();
    // While an answer is written there is no Send: the text waits in the field.
    if (event.target.value.trim()) click(".send-button");
  }
});

// The composer: keys, growing, and a prompt that is never lost while it is on its way.
(() => {
  "use strict";
  const composer = () => document.getElementById("composer");
  const field = () => document.getElementById("composer-text");

  // Browsers without `field-sizing: content` let the field grow by hand.
  const grow = () => {
    if (CSS.supports("field-sizing", "content")) return;
    field().style.height = "auto";
    field().style.height = `${field().scrollHeight}px`;
  };

  const showError = (text) =>
    Object.assign(document.getElementById("composer-error"), { textContent: text, hidden: false });

  const setSending = (isSending) => {
    field().readOnly = isSending;
    composer().toggleAttribute("aria-busy", isSending);
  };

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return; // An input method is at work.
    if (event.key === "Escape") document.querySelector(".stop-button")?.click();
    if (event.target !== field() || event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    // While an answer is written there is no Send: the text waits in the field.
    if (field().value.trim()) document.querySelector(".send-button")?.click();
  });

  document.addEventListener("input", (event) => {
    if (event.target === field()) grow();
  });

  // htmx does not see a button outside of its form: the examples.
  document.addEventListener("htmx:configRequest", (event) => {
    const button = event.detail.triggeringEvent?.submitter;
    if (button?.name) event.detail.parameters[button.name] = button.value;
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt === composer()) setSending(true);
    if (event.detail.requestConfig.verb === "post") {
      document.getElementById("composer-error").hidden = true;
    }
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, xhr, successful } = event.detail;
    if (elt.id !== "composer" || !document.contains(elt)) return;
    setSending(false);
    if (!successful && !xhr.getResponseHeader("HX-Retarget")) {
      const { tooLarge, sendFailed } = composer().dataset;
      showError(xhr.status === 413 ? tooLarge : sendFailed);
    }
  });

  // htmx swaps no error; this header marks a refused prompt that comes back in its composer.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.getResponseHeader("HX-Retarget")) event.detail.shouldSwap = true;
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "composer") field().focus();
  });

  // The focus of a button that was swapped away goes on to the field, unless words are selected.
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    const isLost = document.activeElement === document.body && getSelection().isCollapsed;
    if (isLost && event.detail.target.id === "composer-actions") field().focus();
  });
})();

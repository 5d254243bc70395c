// Copies the code below a button, or the Markdown of an answer that a link leads to.
const DONE_MS = 2000;

const write = async (button) => {
  if (button.href) {
    // As a promise: a browser allows it in the moment of the click alone.
    const text = fetch(button.href).then((response) => (response.ok ? response.blob() : Promise.reject()));
    return navigator.clipboard.write([new ClipboardItem({ "text/plain": text })]);
  }
  const code = button.parentElement.querySelector("code");
  if (navigator.clipboard) return navigator.clipboard.writeText(code.textContent);
  // Without HTTPS there is no clipboard but the old way.
  getSelection().selectAllChildren(code);
  document.execCommand("copy");
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest(".copy-button");
  if (!button || (button.href && !navigator.clipboard)) return; // The link shows the text.
  event.preventDefault();
  const { copied, failed } = document.getElementById("copy-label").dataset;
  const sentence = await write(button).then(() => copied, () => failed);
  document.getElementById("announcer").textContent = sentence;
  button.classList.toggle("is-copied", sentence === copied);
  setTimeout(() => button.classList.remove("is-copied"), DONE_MS);
});

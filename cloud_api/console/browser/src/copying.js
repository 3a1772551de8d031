// <button data-copy="#codes" data-done="Copied"> puts the text of an element, or the value of a field, on the clipboard.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  const from = button && document.querySelector(button.dataset.copy);
  if (!from) return;
  const lines = from.value ?? [...from.querySelectorAll("li")].map((line) => line.innerText.trim()).join("\n");
  await navigator.clipboard.writeText(lines || from.innerText.trim());
  button.lastChild.textContent = button.dataset.done;
});

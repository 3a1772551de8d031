// Keys of every page: Ctrl+K finds everything, "/" goes to the page's search, "?" lists the keys.
const typing = (event) => event.target.closest?.("input, textarea, select, [contenteditable], dialog[open]");
const plain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey;

function openFinder(dialog, htmx) {
  if (dialog.open) return;
  dialog.showModal();
  const field = dialog.querySelector("input");
  field.value = "";
  htmx.trigger(field, "opened");
}

// Arrows walk through what was found, Enter goes there.
function walk(dialog) {
  const field = dialog.querySelector("input");
  dialog.addEventListener("keydown", (event) => {
    const found = [...dialog.querySelectorAll("[role=option]")];
    const at = found.indexOf(document.activeElement);
    if (event.key === "Enter" && document.activeElement === field && found.length) {
      event.preventDefault();
      found[0].click();
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const next = at + (event.key === "ArrowDown" ? 1 : -1);
    (next < 0 ? field : found[Math.min(next, found.length - 1)])?.focus();
  });
}

// On a phone the navigation is a menu: Escape closes it, and the focus goes back to its button.
function closeMenu(event) {
  const menu = document.querySelector("#navigation.show");
  if (event.key !== "Escape" || !menu || document.querySelector("dialog[open]")) return;
  const button = document.querySelector("[aria-controls=navigation]");
  button.click();
  button.focus();
}

export function listen(htmx) {
  document.addEventListener("keydown", closeMenu);
  const finder = document.getElementById("finder");
  const keys = document.getElementById("keys");
  if (!finder || !keys) return;
  walk(finder);
  for (const dialog of [finder, keys]) {
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
    });
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-find]")) openFinder(finder, htmx);
    if (event.target.closest("[data-keys]")) keys.showModal();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openFinder(finder, htmx);
      return;
    }
    if (!plain(event) || typing(event)) return;
    const search = document.querySelector("main input[type=search]");
    if (event.key === "/" && search) {
      event.preventDefault();
      search.focus();
    }
    if (event.key === "?") {
      event.preventDefault();
      keys.showModal();
    }
  });
}

// A word about what was done, for a few seconds; what went wrong stays until it is closed.
export function toast(text, tone = "green") {
  const shown = document.createElement("div");
  shown.className = `toast show border-0 bg-${tone} text-${tone}-fg mb-2`;
  shown.setAttribute("role", tone === "red" ? "alert" : "status");
  const body = document.createElement("div");
  body.className = "toast-body d-flex align-items-center gap-2";
  const words = document.createElement("span");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn-close btn-close-white ms-auto";
  close.setAttribute("aria-label", document.documentElement.lang === "hi" ? "बंद करें" : "Close");
  close.addEventListener("click", () => shown.remove());
  body.append(words, close);
  shown.append(body);
  document.getElementById("toasts")?.append(shown);
  if (tone !== "red") setTimeout(() => shown.remove(), 6000);
}

// What the page before left to be said.
export function sayWhatWasLeft() {
  const left = document.cookie.match(/(?:^|; )coldfleet_said=([^;]*)/);
  if (!left) return;
  document.cookie = "coldfleet_said=; Max-Age=0; path=/";
  const text = decodeURIComponent(left[1]);
  toast(text);
}

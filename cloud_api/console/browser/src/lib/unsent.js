// What was typed into a form that could not be sent, because nobody was signed in any more: kept in this tab until it
// can be sent again. Passwords, codes and files are not kept.
const KEPT = "coldfleet-unsent";
const SIGN = "coldfleet_unsent";
const COOKIE_AT = "coldfleet_at";
const NEVER = new Set(["password", "file", "hidden"]);
const me = document.body.dataset.me ?? "";
const here = () => window.location.pathname + window.location.search;

function fieldsOf(form) {
  return [...form.elements].filter((field) => field.name && !field.disabled && !NEVER.has(field.type) && field.autocomplete !== "one-time-code");
}

export function keepWhatIsSent() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method === "get" || !me) return;
    const typed = fieldsOf(form).map((field) => [field.name, field.type === "checkbox" || field.type === "radio" ? field.checked : field.value, field.value]);
    const action = form.getAttribute("action") ?? form.getAttribute("hx-post") ?? "";
    sessionStorage.setItem(KEPT, JSON.stringify({ me, page: here(), action, typed }));
    // a form is sent without saying from which page: the sign-in, should it come to that, leads back here
    document.cookie = `${COOKIE_AT}=${encodeURIComponent(here())}; Max-Age=120; path=/console; SameSite=Strict`;
  }, true);
}

// Returns whether something that was not sent is there again.
export function bringBackWhatWasTyped() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  if (!me) return false; // the sign-in: it is still to come
  const unsent = document.cookie.includes(`${SIGN}=`);
  document.cookie = `${SIGN}=; Max-Age=0; path=/console`;
  sessionStorage.removeItem(KEPT);
  if (!unsent || !kept || kept.me !== me || kept.page !== here()) return false;
  const form = [...document.forms].find((one) => (one.getAttribute("action") ?? one.getAttribute("hx-post") ?? "") === kept.action);
  if (!form) return false;
  const fields = fieldsOf(form);
  kept.typed.forEach(([name, typed, value]) => {
    const field = fields.find((one) => one.name === name && (typeof typed !== "boolean" || one.value === value));
    if (!field) return;
    if (typeof typed === "boolean") field.checked = typed;
    else field.value = typed;
  });
  return true;
}

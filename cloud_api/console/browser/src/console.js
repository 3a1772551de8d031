// What every page has: navigation, toasts, confirmations, live parts, times that stay true, saved views.
import "@tabler/core/dist/js/tabler.esm.min.js";
import htmx from "htmx.org";
import { listen } from "./lib/keys.js";
import { follow } from "./lib/live.js";
import { stackTables } from "./lib/stacked.js";
import { sayWhatWasLeft, toast } from "./lib/toasts.js";
import { bringBackWhatWasTyped, keepWhatIsSent } from "./lib/unsent.js";
import { offerViews } from "./lib/views.js";

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.selfRequestsOnly = true;
// what the API refuses in a form is shown in the form
htmx.config.responseHandling = [
  { code: "204", swap: false },
  { code: "[23]..", swap: true },
  { code: "4(09|22)", swap: true },
  { code: "...", swap: false, error: true },
];

document.body.addEventListener("toast", (event) => toast(event.detail.text, event.detail.tone));
document.body.addEventListener("htmx:sendError", () => toast("The platform cannot be reached. What you see may be old.", "red"));

// <form data-confirm="..."> asks before it does what cannot be undone
document.addEventListener("submit", (event) => {
  const form = event.target;
  const question = form.dataset.confirm;
  if (!question || form.dataset.confirmed) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const dialog = document.getElementById("confirm");
  dialog.querySelector("#confirm-text").textContent = question;
  dialog.returnValue = "no"; // and so it stays when Escape closes it
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "yes") return;
    form.dataset.confirmed = "yes";
    form.requestSubmit(event.submitter ?? undefined);
    delete form.dataset.confirmed;
  }, { once: true });
  dialog.showModal();
}, true);
document.getElementById("confirm")?.addEventListener("click", (event) => {
  const answer = event.target.closest("[data-answer]")?.dataset.answer;
  if (answer) event.currentTarget.close(answer);
});

// a form is sent once, however often its button is pressed
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method === "get") return;
  if (event.target.dataset.sent) event.preventDefault();
  else event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));
document.body.addEventListener("htmx:afterRequest", (event) => delete event.target.dataset?.sent);

// <... data-live="/ws/..." hx-get="..." hx-trigger="changed"> is read again when the live view changes, once a second at most
function watch(root) {
  root.querySelectorAll("[data-live]").forEach((element) => {
    if (element.dataset.watched) return;
    element.dataset.watched = "yes";
    let waiting = null;
    const changed = () => {
      if (waiting !== null) return;
      waiting = setTimeout(() => {
        waiting = null;
        if (element.isConnected) htmx.trigger(element, "changed");
        else leave();
      }, Number(element.dataset.livePause ?? 1000));
    };
    const leave = follow(element.dataset.live, {
      // whatever changed while nobody listened
      onState: () => { element.removeAttribute("data-down"); changed(); },
      onChange: changed,
      onDown: () => element.setAttribute("data-down", ""),
    });
  });
}

// how many notifications nobody has read
document.querySelectorAll("[data-live-notifications]").forEach((badge) => {
  const unread = new Map();
  const show = () => {
    const count = [...unread.values()].filter(Boolean).length;
    badge.textContent = String(count);
    badge.classList.toggle("d-none", count === 0);
  };
  const take = (items) => items.forEach((item) => unread.set(item.id, !item.read_at));
  follow(badge.dataset.liveNotifications, {
    onState: (items) => { unread.clear(); take(items); show(); },
    onChange: (items, gone) => {
      items.filter((item) => !unread.has(item.id) && !item.read_at).forEach((item) => toast(item.title ?? "", item.severity === "critical" ? "red" : "azure"));
      take(items);
      gone.forEach((id) => unread.delete(id));
      show();
    },
  });
});

// <time data-ago> stays true
const hindi = document.documentElement.lang === "hi";
const AGO = hindi ? ["से. पहले", "मि. पहले", "घं. पहले", "दिन पहले"] : ["s ago", "min ago", "h ago", "d ago"];
const ahead = Date.parse(document.documentElement.dataset.now) - Date.now(); // the platform's clock is the one that counts
function ago() {
  document.querySelectorAll("time[data-ago]").forEach((element) => {
    const seconds = Math.max(0, (Date.now() + ahead - Date.parse(element.dateTime)) / 1000);
    const place = seconds < 60 ? 0 : seconds < 3600 ? 1 : seconds < 86400 ? 2 : 3;
    element.textContent = `${Math.floor(seconds / [1, 60, 3600, 86400][place])} ${AGO[place]}`;
  });
}
setInterval(ago, 5000);

document.body.addEventListener("htmx:afterSwap", (event) => { watch(event.target); stackTables(document); ago(); });
watch(document);
stackTables(document);
offerViews(document);
listen(htmx);
if (bringBackWhatWasTyped()) {
  toast(hindi ? "इसके सहेजे जाने से पहले आप साइन आउट हो गए थे। आपने जो लिखा था वह फिर यहाँ है: जाँचकर दोबारा भेजें।" : "You were signed out before this was saved. What you typed is here again: check it, and send it.", "orange");
}
keepWhatIsSent();
sayWhatWasLeft();

// The driver's app: what is done is sealed into the log first, and counts from then on; the platform hears of it when
// there is signal.
import { readDay } from "./driver/day.js";
import { button, h, icon, link, say } from "./driver/elements.js";
import { prune } from "./driver/log.js";
import { Positions } from "./driver/positions.js";
import { loadView } from "./driver/loading.js";
import { completeView, routeView } from "./driver/route_view.js";
import { deliverView, entryLine, failView, stopView } from "./driver/stop_view.js";
import { openStore } from "./driver/store.js";
import { NoSignal, Refused, SignedOut, sync } from "./driver/sync.js";
import { inWords, isKeptForSure, nothingIsKept, troublesOf } from "./driver/troubles.js";
import { t, told, word } from "./driver/words.js";

const EVERY_MS = 20_000;
const MOST_NOTED = 60;
const BATCH_EVERY_MS = 300_000;
const APP = "/console/driver";

class App {
  constructor(store) {
    this.store = store;
    this.positions = new Positions(store);
    this.line = navigator.onLine ? "sending" : "offline";
    this.problem = "";
    this.troubles = [];
    this.sealedAt = Date.now();
    this.timer = null;
    this.sending = this.again = false;
    this.shown = null;
    // what was written before the app was opened is no news
    this.hasHeard = false;
  }

  async refresh() {
    this.day = await readDay(this.store);
    this.troubles = await troublesOf(await this.store.fact("skew_ms"));
    this.positions.follow(this.day.route?.status === "in_progress");
  }

  // Something was sealed: say so, show it, send it. `goTo` "": the route; null: stay here.
  async done(sealing, text, goTo = undefined) {
    try {
      await sealing;
    } catch (error) {
      this.notKept(error);
      return;
    }
    await this.refresh();
    say(text);
    if (goTo === "" && window.location.hash.length > 1) window.location.hash = "";
    else if (goTo !== null) await this.show();
    this.bars();
    this.sendSoon(0);
    registration?.sync?.register(`send:${this.store.user}`).catch(() => {});
  }

  // What was typed is still there: it can be tried again.
  notKept(error) {
    say(inWords(error), "bad");
    document.querySelectorAll("#content [type=submit]").forEach((submit) => { submit.disabled = false; });
  }

  sendSoon(after) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), after);
  }

  async send() {
    if (this.sending) {
      this.again = true;
      return;
    }
    [this.sending, this.again] = [true, false];
    const read = new Set(this.day.messages.map((one) => one.id));
    const next = await this.exchange();
    await this.refresh();
    this.sending = false;
    this.bars();
    await this.show({ again: true });
    const news = this.day.messages.find((one) => !read.has(one.id));
    if (news && this.hasHeard) say(`${news.title}: ${news.message}`);
    this.hasHeard = true;
    if (document.visibilityState === "visible" && this.line !== "signed_out") this.sendSoon(this.again ? 0 : next);
  }

  // Returns when to try again.
  async exchange() {
    try {
      await this.sealPositions();
      if (navigator.onLine) {
        this.line = this.line === "ok" && this.day.settled ? "ok" : "sending";
        this.bars();
      }
      if (!(await sync(this.store))) return 500; // another tab, or the worker, is at it
      this.line = "ok";
    } catch (error) {
      this.line = error instanceof SignedOut ? "signed_out" : error instanceof NoSignal ? "offline" : "problem";
      this.problem = error instanceof Refused ? error.message : String(error);
    }
    const sealedMeanwhile = (await readDay(this.store)).unsent > 0;
    return this.line === "ok" && sealedMeanwhile ? 0 : EVERY_MS;
  }

  async sealPositions() {
    const { route, positions } = this.day;
    if (route?.status !== "in_progress" || !positions.length) return;
    if (positions.length < MOST_NOTED && Date.now() - this.sealedAt < BATCH_EVERY_MS) return;
    this.sealedAt = Date.now();
    await this.day.sealPositions(route.id);
  }

  // The page that the address names; `again`: it may have changed, and nobody must lose what they are typing.
  async show({ again = false } = {}) {
    const [name, id, part] = window.location.hash.slice(1).split("/");
    const open = { stop: { deliver: deliverView, fail: failView }[part] ?? stopView, load: loadView, complete: completeView, log: logView }[name] ?? routeView;
    const content = document.getElementById("content");
    const changes = [routeView, stopView, logView].includes(open);
    if (again && (!changes || isBeingTyped(content))) return;
    const unfolded = [...content.querySelectorAll("details")].map((one) => one.open);
    const made = (await open(this, id)) ?? routeView(this);
    const focused = document.activeElement?.getAttribute("href");
    this.shown?.leave?.();
    this.shown = made;
    content.replaceChildren(made);
    this.bars();
    if (again) {
      content.querySelectorAll("details").forEach((one, place) => { one.open = unfolded[place] ?? false; });
      if (focused) content.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
      return;
    }
    window.scrollTo(0, 0);
    content.querySelector("h1")?.focus({ preventScroll: true });
    document.title = `${content.querySelector("h1")?.textContent ?? t("My route")} · Coldfleet`;
  }

  // What stands above every page: the way back, and what has not been sent.
  bars() {
    const [name, id, part] = window.location.hash.slice(1).split("/");
    const back = !name ? null : part ? `#stop/${id}` : "#";
    const { unsent, waiting, photosUnsent } = this.day;
    const left = [many(unsent, "1 entry", "{count} entries"), many(photosUnsent, "1 picture", "{count} pictures")].filter(Boolean).join(", ");
    const state = { offline: ["cloud-off", t("No signal")], signed_out: ["user", t("Signed out")], problem: ["alert-triangle", t("Look here")], sending: ["cloud-upload", t("Sending…")], ok: this.day.settled ? ["circle-check", t("All sent")] : ["cloud-upload", t("Waits")] }[this.line];
    document.getElementById("top").replaceChildren(
      back ? h("a", { class: "back", href: back, "aria-label": t("Back") }, icon("arrow-left")) : h("span", { class: "back" }, icon("truck-delivery")),
      h("span", { class: "brand" }, this.day.route ? this.day.route.number : t("My route")),
      h("a", { class: `pill ${this.line}`, href: "#log", id: "sent" }, icon(state[0]), h("span", {}, state[1])),
    );
    const standing = document.getElementById("standing");
    const lines = {
      offline: left ? t("No signal. Not yet sent: {left}. It is kept here, and goes out by itself.", { left }) : t("No signal. Go on working: everything is kept here."),
      signed_out: left ? t("You are signed out. Not yet sent: {left}. It is kept here.", { left }) : t("You are signed out. What is here stays here."),
      problem: `${this.problem} ${left ? t("Not yet sent: {left}.", { left }) : ""}`,
      // what goes out at once needs no line of its own: the page would jump
      sending: left && standing.dataset.text ? t("Not yet sent: {left}.", { left }) : "",
      ok: left ? t("Not yet sent: {left}.", { left }) : waiting ? t("Waiting for an answer: {left}.", { left: many(waiting, "1 entry", "{count} entries") }) : "",
    };
    const text = lines[this.line];
    if (standing.dataset.text === text && standing.dataset.line === this.line) return;
    Object.assign(standing.dataset, { text, line: this.line });
    standing.className = text ? this.line : "";
    standing.replaceChildren(...(text ? [h("p", {}, text), ["signed_out", "problem"].includes(this.line) ? link(this.line === "problem" ? t("Open again") : t("Sign in"), "user", `${APP}?again`) : ""] : []));
  }
}

function isBeingTyped(content) {
  return [...content.querySelectorAll("input, textarea")].some((input) => input === document.activeElement || input.value);
}

const many = (count, one, more) => (count === 0 ? "" : count === 1 ? t(one) : t(more, { count }));

async function logView(app) {
  const { day } = app;
  const keptForSure = await isKeptForSure();
  const names = new Map([...day.routes.map((route) => [route.id, route.number]), ...day.stopItems.map((item) => [item.id, item.said.customer_name])]);
  const entries = day.entries.slice(-200).reverse();
  return h("div", { class: "stack" },
    h("h1", { tabindex: "-1" }, t("What was done, and what was sent")),
    button(t("Send now"), "cloud-upload", { class: "button main", onclick: () => app.sendSoon(0) }),
    entries.length ? h("ul", { class: "plain log card" }, entries.map((entry) => entryLine(entry, names.get(entry.target) ?? ""))) : h("p", { class: "quiet" }, t("Nothing yet.")),
    h("section", { class: "card stack" },
      h("p", { class: "facts" }, icon("user"), told.name),
      keptForSure ? null : h("p", { class: "note" }, icon("photo"), h("span", {}, t("The browser may clear what has not been sent when the phone gets full: install this app, by “Add to home screen” in its menu."))),
      h("p", { class: "quiet" }, t("Everything that you do is sealed on this phone. Nobody can change it, and nothing is sent twice.")),
      h("form", { method: "post", action: "/console/sign-out", onsubmit: (event) => signOut(event, app) }, h("button", { type: "submit", class: "button" }, icon("logout"), h("span", {}, t("Sign out")))),
      link(t("To the console"), "list-details", "/console"),
    ),
  );
}

// What is not sent stays on the phone; the page, and what is known of customers, go with whoever signs out.
async function signOut(event, app) {
  const form = event.target;
  event.preventDefault();
  if (!navigator.onLine) return say(t("Signing out needs signal."), "bad");
  if (!app.day.settled && !window.confirm(t("Not everything has been sent. It stays on this phone until you sign in here again. Sign out?"))) return;
  navigator.serviceWorker?.controller?.postMessage("forget page");
  await app.store.write((of) => {
    of("items").clear();
    ["cursor", "feed_tag"].forEach((name) => of("facts").delete(name));
  });
  form.submit();
}

let registration = null;

async function start() {
  const content = document.getElementById("content");
  if (!window.isSecureContext || !navigator.locks) {
    content.replaceChildren(h("p", { class: "note bad" }, t("This app needs a secure connection (https).")));
    return;
  }
  let store;
  try {
    store = await openStore(told.user);
  } catch {
    content.replaceChildren(h("p", { class: "note bad" }, icon("alert-triangle"), h("span", {}, nothingIsKept())));
    return;
  }
  const app = new App(store);
  await app.refresh();
  await app.show();
  prune(app.store).catch(() => {});
  window.addEventListener("hashchange", () => app.show());
  window.addEventListener("online", () => app.sendSoon(0));
  window.addEventListener("offline", () => { app.line = "offline"; app.bars(); });
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && app.sendSoon(0));
  navigator.storage?.persist?.();
  if ("serviceWorker" in navigator) {
    registration = await navigator.serviceWorker.register(`${APP}/worker.js`, { scope: APP, updateViaCache: "none" }).catch(() => null);
    navigator.serviceWorker.addEventListener("message", () => app.sendSoon(0));
  }
  app.sendSoon(0);
}

start();

// What is loaded: read by the camera, by a scanner that types, or by hand; and what the platform says is missing.
import { hasCamera, readCodes } from "./camera.js";
import { button, complain, field, h, icon, link, say } from "./elements.js";
import { ask } from "./sync.js";
import { t } from "./words.js";

// A field for codes with its camera. `found` is told each; `stop` lets the camera go.
export function codeReader(found) {
  const finder = h("div", {});
  let stop = null;
  const end = () => {
    stop?.();
    stop = null;
    text.textContent = t("Use the camera");
  };
  const camera = button(t("Use the camera"), "camera", { onclick: async () => {
    if (stop) return end();
    try {
      stop = await readCodes(finder, (code) => { navigator.vibrate?.(60); found(code); });
      text.textContent = t("Stop the camera");
    } catch (error) {
      say(error?.name === "NotAllowedError" ? t("The camera is not allowed for this app: allow it in the browser's settings, or type the code.") : t("The camera cannot be used: type the code."), "bad");
    }
    return null;
  } });
  const text = camera.querySelector("span");
  return { parts: hasCamera() ? [camera, finder] : [], stop: end };
}

export function loadView(app) {
  const { route, stops } = app.day;
  if (!route) return null;
  const codes = [];
  const input = h("input", { name: "code", autocomplete: "off", autocapitalize: "off", enterkeyhint: "done" });
  const list = h("ul", { class: "plain", "aria-live": "polite" });
  const add = (code) => {
    if (!code || codes.includes(code)) return;
    codes.push(code);
    const known = stops.find((one) => one.order_number === code);
    const about = known ? known.customer_name : t("no order of this route: perhaps a lot");
    list.prepend(h("li", { class: "card row" }, icon(known ? "circle-check" : "barcode"), h("span", { class: "who" }, h("strong", {}, code), h("span", { class: "quiet" }, about))));
  };
  const reader = codeReader(add);
  const form = h("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); add(input.value.trim()); input.value = ""; input.focus(); } },
    h("h1", { tabindex: "-1" }, t("Scan the load")),
    h("p", { class: "quiet" }, t("Orders, deliveries or lots. What is missing can still be loaded; nothing is refused.")),
    field(t("Code"), input), h("button", { type: "submit", class: "button" }, icon("check"), h("span", {}, t("Add"))),
    reader.parts, list,
    h("div", { class: "foot" }, button(t("Done"), "check", { class: "button main", onclick: () => (codes.length ? done(app, route, codes, form) : complain(form, "code", t("Scan or type a code first."))) })),
  );
  form.leave = reader.stop;
  return form;
}

async function done(app, route, codes, form) {
  form.leave();
  const heard = app.line === "ok" ? await ask(app.store.user, "POST", `/routes/${route.id}/scan`, { json: { codes } }).catch(() => null) : null;
  if (!heard) return app.done(app.day.scanned(route, codes), t("The scans are noted."), "");
  await app.done(app.day.scanned(route, codes), t("The scans are noted."), null);
  form.replaceChildren(...verdict(heard.data));
  return form.querySelector("h1").focus();
}

function verdict({ complete, missing, not_for_this_van: foreign, unknown }) {
  const part = (title, lines, tone = "") => (lines.length ? h("section", { class: `note ${tone}` }, icon("alert-triangle"), h("div", {}, h("strong", {}, title), h("ul", { class: "plain" }, lines.map((line) => h("li", {}, line))))) : null);
  return [
    h("h1", { tabindex: "-1" }, complete ? t("Everything is loaded") : t("Not everything is loaded")),
    part(t("Not scanned"), missing.map((one) => [one.order_number, ...one.lot_numbers].join(" · "))),
    part(t("Not for this van: take it out"), foreign, "bad"),
    part(t("Nobody knows these codes"), unknown, "bad"),
    link(t("Scan on"), "barcode", "#load/again"), link(t("To the route"), "route", "#", { class: "button main" }),
  ].filter(Boolean);
}

// The day: the route, the next door, all doors; setting off, coming back.
import { button, complain, field, h, icon, link, say } from "./elements.js";
import { codeReader } from "./loading.js";
import { ask } from "./sync.js";
import { day as dayOf, money, t, time, word } from "./words.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function routeView(app) {
  const { route, stops, next } = app.day;
  if (!route) return nothing(app);
  const done = stops.filter((stop) => stop.done).length;
  return h("div", { class: "stack" },
    h("section", { class: "head" },
      h("h1", { tabindex: "-1" }, route.name || route.number),
      h("p", { class: "quiet" }, `${dayOf(route.departs_at)} · ${t("leaves at {time}", { time: time(route.departs_at) })} · ${(route.distance_m / 1000).toFixed(1)} km`),
      h("progress", { max: stops.length || 1, value: done, "aria-label": t("Stops that are done") }),
      h("p", {}, t("{done} of {all} stops done", { done, all: stops.length })),
    ),
    app.troubles.map((text) => h("p", { class: "note bad" }, icon("alert-triangle"), h("span", {}, text))),
    refusedStart(app, route),
    route.status === "planned" ? setOff(app, route) : null,
    route.status === "in_progress" && next ? nextCard(next) : null,
    route.status === "in_progress" && !next ? h("section", { class: "card stack" }, h("h2", {}, t("All stops are done")), link(t("Finish route"), "flag", "#complete", { class: "button main" })) : null,
    messages(app),
    h("section", {}, h("h2", {}, t("Stops")), h("ol", { class: "stops" }, stops.map(stopLine))),
    route.status === "in_progress" && stops.filter((stop) => !stop.done).length > 2 ? button(t("Shorter order from here"), "arrows-sort", { onclick: () => reorder(app, route) }) : null,
  );
}

// The platform puts what is ahead into a shorter order, from where the van is: it needs signal.
async function reorder(app, route) {
  try {
    await ask(app.store.user, "PUT", `/routes/${route.id}/order`, { json: app.positions.here ?? {} });
    say(t("The stops are in a shorter order."));
    app.sendSoon(0);
  } catch (error) {
    say(error.status ? error.message : t("This needs signal: the order stays as it is."), "bad");
  }
}

function nothing(app) {
  const last = app.day.finished.at(0);
  return h("div", { class: "stack" },
    h("section", { class: "empty" },
      icon(last ? "circle-check" : "route"),
      h("h1", { tabindex: "-1" }, last ? t("Route {number} is finished", { number: last.number }) : t("No route yet")),
      h("p", { class: "quiet" }, app.day.settled ? t("When the dispatcher gives you a route it appears here by itself.") : t("What you did goes out by itself as soon as there is signal.")),
      button(t("Look again"), "refresh", { onclick: () => app.sendSoon(0) }),
    ),
    messages(app),
  );
}

function refusedStart(app, route) {
  const last = app.day.about(route.id, "start_route", "complete_route").at(-1);
  return last && ["refused", "conflict"].includes(last.result) ? h("p", { class: "note bad" }, icon("alert-triangle"), h("span", {}, `${word(last.kind)}: ${last.message}`)) : null;
}

function setOff(app, route) {
  const km = h("input", { name: "odometer", inputmode: "numeric", autocomplete: "off" });
  const go = () => {
    if (!/^\d{0,7}$/.test(km.value.trim())) return complain(form, "odometer", t("Whole kilometres, please."));
    const odometer = km.value.trim();
    return app.done(app.day.start(route, odometer ? { odometer_start_km: Number(odometer) } : {}), t("The route is under way. Drive safely."));
  };
  const form = h("section", { class: "card stack" },
    link(t("Scan the load"), "barcode", "#load"),
    h("details", {}, h("summary", {}, t("Note the kilometres")), field(t("Odometer, km"), km)),
    button(t("Start route"), "player-play", { class: "button main", onclick: go }),
  );
  return form;
}

function nextCard(stop) {
  return h("section", { class: "card next stack" },
    h("p", { class: "label" }, t("Next stop")),
    h("h2", {}, stop.customer_name),
    h("p", {}, stop.address),
    h("p", { class: "facts" }, icon("clock"), `${time(stop.window_from)}–${time(stop.window_until)}`),
    stop.cash_due_minor ? h("p", { class: "facts" }, icon("cash"), t("{money} to be paid", { money: money(stop.cash_due_minor) })) : null,
    h("div", { class: "pair" }, link(t("Navigate"), "navigation", wayTo(stop)), link(t("To the stop"), null, `#stop/${stop.id}`, { class: "button main" })),
  );
}

function stopLine(stop) {
  return h("li", {}, h("a", { class: `stop ${stop.done ? "done" : ""}`, href: `#stop/${stop.id}` },
    h("span", { class: "turn", "aria-hidden": "true" }, stop.status === "delivered" ? icon("check") : stop.done ? icon("x") : String(stop.sequence)),
    h("span", { class: "who" }, h("strong", {}, stop.customer_name), h("span", { class: "quiet" }, stop.address), h("span", { class: "quiet" }, `${time(stop.window_from)}–${time(stop.window_until)}`)),
    h("span", { class: "badges" }, h("span", { class: `badge ${toneOf(stop)}` }, word(stop.status)), stop.unsent ? h("span", { class: "badge warn" }, t("Not yet sent")) : null),
  ));
}

export const toneOf = (stop) => (stop.turnedDown ? "bad" : { delivered: "good", failed: "bad", cancelled: "bad", arrived: "info" }[stop.status] ?? "");

export function wayTo(stop) {
  const place = `${stop.latitude},${stop.longitude}`;
  if (/iPhone|iPad/.test(navigator.userAgent)) return `maps:?daddr=${place}`;
  return `geo:${place}?q=${place}(${encodeURIComponent(stop.customer_name)})`;
}

function messages(app) {
  const shown = app.day.messages.slice(0, 3);
  if (!shown.length) return null;
  return h("details", { class: "messages" }, h("summary", {}, t("Messages"), ` (${shown.length})`), shown.map((one) => h("div", { class: "message" }, h("p", {}, h("strong", {}, one.title), h("span", { class: "quiet" }, ` ${time(one.created_at)}`)), h("p", {}, one.message))));
}

// Back at the store.
export function completeView(app) {
  const { route } = app.day;
  if (!route) return null;
  const back = app.day.comingBack(route);
  const km = h("input", { name: "odometer", inputmode: "numeric", autocomplete: "off" });
  const fuel = h("input", { name: "fuel", inputmode: "decimal", autocomplete: "off" });
  const place = h("div", {});
  const typed = h("input", { name: "place", autocomplete: "off", autocapitalize: "off" });
  const reader = codeReader((code) => { const input = form.elements.place; if (input?.tagName === "INPUT") input.value = code; reader.stop(); });
  if (back.length) choosePlace(app, route, place, typed, reader);
  const form = h("form", { class: "stack", novalidate: true },
    h("h1", { tabindex: "-1" }, t("Finish route")),
    back.length ? h("section", { class: "card stack" }, h("h2", {}, t("To be unloaded")), h("ul", { class: "plain" }, back.map((stop) => h("li", {}, `${stop.order_number} · ${stop.customer_name}`))), place) : h("p", { class: "quiet" }, t("Nothing comes back. Well done.")),
    field(t("Odometer, km"), km, t("If you note it.")), field(t("Fuel filled up, litres"), fuel, t("If you filled up.")),
    h("button", { type: "submit", class: "button main" }, icon("flag"), h("span", {}, t("Finish route"))),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!/^\d{0,7}$/.test(km.value.trim())) return complain(form, "odometer", t("Whole kilometres, please."));
    if (!/^\d{0,4}([.,]\d{1,3})?$/.test(fuel.value.trim())) return complain(form, "fuel", t("Litres, as 35.5"));
    const said = {};
    if (km.value.trim()) said.odometer_end_km = Number(km.value.trim());
    if (fuel.value.trim()) said.fuel_ml = Math.round(Number(fuel.value.trim().replace(",", ".")) * 1000);
    if (back.length) {
      const chosen = await placeOf(app, form);
      if (!chosen) return complain(form, "place", t("Say where you put the goods: choose the place, or scan its label."));
      said.unload_location_id = chosen;
    }
    await app.day.sealPositions(route.id);
    return app.done(app.day.complete(route, said), t("The route is finished."), "");
  });
  form.leave = reader.stop;
  return form;
}

async function choosePlace(app, route, around, typed, reader) {
  const name = `places:${route.warehouse_id}`;
  around.replaceChildren(field(t("Where did you put it? Code of the place"), typed, t("Scan or type what stands on its label.")), ...reader.parts);
  const show = (places) => {
    if (!places?.length) return;
    const options = places.map((one) => h("option", { value: one.id }, one.code ? `${one.name} (${one.code})` : one.name));
    around.replaceChildren(field(t("Where did you put it?"), h("select", { name: "place" }, h("option", { value: "" }, t("Choose a place")), options)));
  };
  show(await app.store.fact(name));
  const heard = await ask(app.store.user, "GET", `/places?warehouse_id=${route.warehouse_id}`).catch(() => null);
  if (!heard || !around.isConnected) return;
  await app.store.keep(name, heard.data);
  if (!around.querySelector("select")) show(heard.data);
}

async function placeOf(app, form) {
  const text = form.elements.place.value.trim();
  if (!text || UUID.test(text)) return text;
  const known = await app.store.fact(`place:${text}`);
  if (known) return known;
  const heard = await ask(app.store.user, "POST", "/scan", { json: { codes: [text] } }).catch(() => null);
  const found = heard?.data?.[0]?.location?.id ?? "";
  if (found) await app.store.keep(`place:${text}`, found);
  return found;
}

// One door: who and what, the way there, and what happened.
import { scaled, signatureField } from "./camera.js";
import { button, complain, field, h, icon, link, say } from "./elements.js";
import { pictureOf } from "./log.js";
import { paymentField, paymentOf } from "./payment.js";
import { toneOf, wayTo } from "./route_view.js";
import { ask } from "./sync.js";
import { REASONS, money, quantity, resultWord, t, time, told, word } from "./words.js";

export function stopView(app, id) {
  const stop = app.day.stops.find((one) => one.id === id);
  if (!stop) return h("section", { class: "empty" }, icon("map-pin"), h("h1", { tabindex: "-1" }, t("This stop is not yours any more")), link(t("To the route"), "route", "#"));
  return h("div", { class: "stack" },
    h("section", { class: "head" },
      h("p", { class: "label" }, t("Stop {number}", { number: stop.sequence }), " · ", stop.order_number, stop.attempt > 1 ? ` · ${t("attempt {number}", { number: stop.attempt })}` : ""),
      h("h1", { tabindex: "-1" }, stop.customer_name),
      h("p", {}, h("span", { class: `badge ${toneOf(stop)}` }, word(stop.status)), stop.unsent ? h("span", { class: "badge warn" }, t("Not yet sent")) : null),
      h("p", { class: "facts" }, icon("map-pin"), stop.address),
      h("p", { class: "facts" }, icon("clock"), t("{from} to {until}, planned {at}", { from: time(stop.window_from), until: time(stop.window_until), at: time(stop.planned_arrival_at) })),
    ),
    stop.turnedDown ? h("p", { class: "note bad" }, icon("alert-triangle"), h("span", {}, t("Not accepted: {message}", { message: stop.turnedDown.message || stop.turnedDown.code }))) : null,
    h("div", { class: "three" }, link(t("Navigate"), "navigation", wayTo(stop)), told.contacts && stop.phone ? button(t("Call"), "phone", { onclick: () => call(app, stop) }) : null, told.contacts && stop.phone ? button(t("Message"), "message", { onclick: () => onMyWay(app, stop) }) : null),
    actions(app, stop),
    stop.note ? h("p", { class: "note" }, icon("notes"), h("span", {}, stop.note)) : null,
    stop.cash_due_minor && !stop.done ? h("p", { class: "note" }, icon("cash"), h("span", {}, t("{money} to be paid", { money: money(stop.cash_due_minor) }))) : null,
    stop.otp_needed && !stop.done ? h("p", { class: "note" }, icon("key"), h("span", {}, t("The customer has a code: ask for it."))) : null,
    h("section", {}, h("h2", {}, t("Goods")), h("ul", { class: "goods card" }, stop.lines.map((line) => h("li", {}, h("span", {}, line.name), h("strong", {}, `${quantity(line.quantity)} ${line.unit}`))))),
    history(app, stop),
  );
}

function actions(app, stop) {
  if (stop.done) return null;
  if (app.day.route.status !== "in_progress") return h("p", { class: "note" }, icon("player-play"), h("span", {}, t("Start the route first.")));
  const fails = link(t("Cannot deliver"), "x", `#stop/${stop.id}/fail`, { class: "button bad" });
  if (stop.status !== "arrived") {
    const arrived = async () => {
      await app.day.sealPositions(stop.route_id);
      return app.day.tell("arrive", stop);
    };
    return h("div", { class: "stack" }, button(t("I am at the door"), "door-enter", { class: "button main", onclick: () => app.done(arrived(), t("Arrival noted.")) }), fails);
  }
  return h("div", { class: "stack" }, link(t("Hand over"), "package", `#stop/${stop.id}/deliver`, { class: "button main" }), fails);
}

async function call(app, stop) {
  try {
    const { data } = await ask(app.store.user, "POST", `/contact/${stop.id}`, { json: { channel: "call" } });
    if (data.link) window.location.href = data.link;
  } catch (error) {
    say(error.status ? error.message : t("A call needs signal. Write a message: it goes out by itself."), "bad");
  }
}

function onMyWay(app, stop) {
  const payload = { channel: "sms", text: t("I am on my way to you.") };
  return app.done(app.day.tell("contact", stop, payload), t("The message goes out by itself."));
}

function history(app, stop) {
  const text = h("textarea", { name: "text", rows: 2, maxlength: 1000 });
  const keep = () => (text.value.trim() ? app.done(app.day.tell("note", stop, { text: text.value.trim() }), t("The note is kept.")) : complain(around, "text", t("Write something first.")));
  const entries = app.day.about(stop.id);
  const around = h("section", { class: "stack" },
    entries.length ? h("div", {}, h("h2", {}, t("What you did here")), h("ul", { class: "plain log card" }, entries.map((entry) => entryLine(entry)))) : null,
    h("details", {}, h("summary", {}, t("Tell the next driver something")), field(t("Note about this door"), text), button(t("Keep the note"), "notes", { onclick: keep })),
  );
  return around;
}

export function entryLine(entry, about = "") {
  const tone = { "": "warn", waiting: "warn", refused: "bad", conflict: "bad" }[entry.result] ?? "good";
  const what = entry.payload.failure_reason ? `${word(entry.kind)}: ${word(entry.payload.failure_reason)}` : word(entry.kind);
  return h("li", { "data-kind": entry.kind, "data-result": entry.result || "unsent" },
    h("span", { class: "who" }, h("span", {}, what), h("span", { class: "quiet" }, [time(entry.at), about, entry.message].filter(Boolean).join(" · "))),
    h("span", { class: `badge ${tone}` }, resultWord(entry)));
}

// A picture of the camera: scaled down, shown, and kept with what else was typed until it is sealed.
function photoField(draft, label) {
  const input = h("input", { type: "file", accept: "image/*", capture: "environment", name: "photo", id: "f-photo", class: "unseen" });
  const shown = h("div", { class: "shot" });
  const text = h("span", {}, label);
  const show = (blob) => {
    shown.replaceChildren(h("img", { src: URL.createObjectURL(blob), alt: t("The picture that you took") }));
    text.textContent = t("Take another picture");
  };
  if (draft.said.picture) show(draft.said.picture);
  input.addEventListener("change", async () => {
    if (!input.files.length) return;
    try {
      draft.keep({ picture: await scaled(input.files[0]) });
      show(draft.said.picture);
    } catch {
      say(t("This picture cannot be read: take another."), "bad");
    }
  });
  return h("div", { class: "field" }, input, h("label", { class: "button", for: "f-photo" }, icon("camera"), text), shown, h("p", { class: "hint", id: "e-photo" }));
}

// What was typed is not lost when the phone closes the app to open its camera.
async function draftOf(app, form, name) {
  const draft = { name, said: (await app.store.fact(name)) ?? {}, keep: (more) => { Object.assign(draft.said, more); app.store.keep(name, draft.said).catch(() => {}); } };
  form.addEventListener("input", (event) => {
    const { name: field, type, value, checked } = event.target;
    if (field && type !== "file") draft.keep({ [field]: type === "checkbox" ? checked : value });
  });
  return draft;
}

const kept = (draft, name, first = "") => draft.said[name] ?? first;

export async function deliverView(app, id) {
  const stop = app.day.stops.find((one) => one.id === id && !one.done);
  if (!stop) return null;
  const form = h("form", { class: "stack", novalidate: true });
  const draft = await draftOf(app, form, `draft:${id}:deliver`);
  const recipient = h("input", { name: "recipient", value: kept(draft, "recipient"), maxlength: 120, autocomplete: "off", required: true });
  const typed = h("input", { name: "signed", value: "", maxlength: 80, autocomplete: "off" });
  const signature = signatureField(typed, draft.said.signature, (drawn) => draft.keep({ signature: drawn }));
  const code = h("input", { name: "code", inputmode: "numeric", maxlength: 6, autocomplete: "one-time-code", value: kept(draft, "code") });
  const warm = h("input", { name: "temperature", inputmode: "text", autocomplete: "off", value: kept(draft, "temperature") });
  const note = h("textarea", { name: "note", rows: 2, maxlength: 1000, value: kept(draft, "note") });
  const others = app.day.sameDoor(stop);
  form.append(
    h("h1", { tabindex: "-1" }, t("Hand over")), h("p", { class: "quiet" }, `${stop.customer_name} · ${stop.order_number}`),
    field(t("Who takes the goods?"), recipient),
    photoField(draft, t("Take a picture")),
    h("details", { open: Boolean(draft.said.signature) }, h("summary", {}, t("Signature, with the picture or instead of it")), h("div", { class: "field" }, signature.canvas), field(t("Or type the name as the signature"), typed), signature.wipe),
    stop.otp_needed ? codeField(app, stop, code) : "",
    stop.cash_due_minor ? paymentField(stop, draft) : "",
    field(t("Temperature of the goods, °C"), warm, t("If you measured it; else the van's sensor says it.")),
    others.length ? h("fieldset", { class: "card" }, h("legend", {}, t("For the same door")), others.map((other) => h("label", { class: "tick" }, h("input", { type: "checkbox", name: "also", value: other.id, checked: !other.cash_due_minor && !other.otp_needed }), h("span", {}, other.order_number)))) : "",
    field(t("Note"), note),
    h("button", { type: "submit", class: "button main" }, icon("check"), h("span", {}, t("Delivered"))),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    deliver(app, stop, form, draft, signature).catch((error) => app.notKept(error));
  });
  return form;
}

// The code of the customer: with signal it can be sent again, without it is asked for and checked later.
function codeField(app, stop, code) {
  const last = app.day.about(stop.id, "send_otp").at(-1);
  const sent = last ? t("Asked for at {time}: {result}", { time: time(last.at), result: resultWord(last) }) : "";
  const offline = app.line === "offline" ? t("Without signal no code can be sent now; one that the customer has is checked later.") : "";
  return h("section", { class: "card stack" }, field(t("Code of the customer"), code, t("Six digits. Without it the office looks at the delivery.")),
    [sent, offline].filter(Boolean).map((line) => h("p", { class: "quiet" }, line)),
    button(last ? t("Send the code again") : t("Send the customer a code"), "key", { onclick: () => app.done(app.day.tell("send_otp", stop), t("The code is on its way as soon as there is signal."), null) }));
}

async function deliver(app, stop, form, draft, signature) {
  const said = (name) => (form.elements[name]?.value ?? "").trim();
  const warm = said("temperature").replace(",", ".");
  if (!said("recipient")) return complain(form, "recipient", t("Who takes the goods? Write the name."));
  const signed = await signature.blob();
  if (!draft.said.picture && !signed) return complain(form, "photo", t("Take a picture, or let the customer sign."));
  if (!/^(\d{6})?$/.test(said("code"))) return complain(form, "code", t("The code has six digits."));
  if (stop.otp_needed && !said("code") && app.line === "ok") return complain(form, "code", t("Ask the customer for the code. When they have none, the office can let it pass."));
  const paid = paymentOf(stop, said);
  if (paid.wrong) return complain(form, paid.wrong, paid.text);
  if (warm && !(Math.abs(Number(warm)) <= 90)) return complain(form, "temperature", t("Degrees, as 3.5 or -18"));
  const [photo, drawn] = await Promise.all([draft.said.picture, signed].map((blob) => (blob ? pictureOf(blob) : null)));
  const also = [...form.querySelectorAll("[name=also]:checked")].map((box) => box.value);
  const proof = {
    photo_sha256: photo?.sha256 ?? null,
    signature_sha256: drawn?.sha256 ?? null,
    recipient_name: said("recipient"),
    cargo_temperature_c: warm ? Number(warm) : null,
    ...app.positions.here,
    delivered_at: new Date().toISOString(),
    note: said("note"),
    otp_code: said("code") || null,
    also,
  };
  form.querySelector("[type=submit]").disabled = true;
  if (paid.amount_minor) await app.day.tell("payment", stop, paid);
  await app.refresh();
  const after = [stop, ...app.day.sameDoor(stop).filter((other) => also.includes(other.id))].flatMap((one) => app.day.before(one));
  return app.done(app.day.tell("deliver", stop, proof, { after, photos: [photo, drawn].filter(Boolean) }), t("Handed over."), "");
}

export async function failView(app, id) {
  const stop = app.day.stops.find((one) => one.id === id && !one.done);
  if (!stop) return null;
  const form = h("form", { class: "stack", novalidate: true });
  const draft = await draftOf(app, form, `draft:${id}:fail`);
  const note = h("textarea", { name: "note", rows: 2, maxlength: 1000, value: kept(draft, "note") });
  form.append(
    h("h1", { tabindex: "-1" }, t("Cannot deliver")), h("p", { class: "quiet" }, `${stop.customer_name} · ${stop.order_number}`),
    h("fieldset", {}, h("legend", {}, t("Why?")), h("div", { class: "choices" }, REASONS.map((reason) => h("label", { class: "tick" }, h("input", { type: "radio", name: "reason", value: reason, checked: draft.said.reason === reason }), h("span", {}, word(reason))))), h("p", { class: "hint", id: "e-reason" })),
    photoField(draft, t("Take a picture")),
    field(t("Note"), note),
    h("button", { type: "submit", class: "button bad main" }, icon("x"), h("span", {}, t("Not delivered"))),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const reason = form.elements.reason.value;
    if (!reason) return complain(form, "reason", t("Say why."));
    form.querySelector("[type=submit]").disabled = true;
    const picture = draft.said.picture ? await pictureOf(draft.said.picture) : null;
    const payload = { failure_reason: reason, note: note.value.trim(), photo_sha256: picture?.sha256 ?? null };
    return app.done(app.day.tell("fail", stop, payload, { photos: picture ? [picture] : [] }), t("Noted. The goods come back with you."), "");
  });
  return form;
}

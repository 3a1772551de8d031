// Money at the door: cash, or UPI by a code that the customer's phone reads.
import { qr } from "./camera.js";
import { field, h, icon } from "./elements.js";
import { money, t } from "./words.js";

const AMOUNT = /^\d{1,9}(\.\d{1,2})?$/;
const SVG = "http://www.w3.org/2000/svg";
const QUIET = 4; // modules around a code, without which readers do not find it

export function paymentField(stop, draft) {
  const said = (name, first = "") => draft.said[name] ?? first;
  const amount = h("input", { name: "amount", inputmode: "decimal", autocomplete: "off", value: said("amount", String(stop.cash_due_minor / 100)) });
  const way = (value, text) => h("label", { class: "tick" }, h("input", { type: "radio", name: "method", value, checked: said("method", "cash") === value }), h("span", {}, text));
  const reference = field(t("Number of the UPI payment"), h("input", { name: "reference", autocomplete: "off", maxlength: 80, value: said("reference") }), t("The payment app shows it when it has paid."));
  const code = h("div", { class: "stack", "aria-live": "polite" });
  const around = h("fieldset", { class: "card stack" }, h("legend", {}, t("{money} to be paid", { money: money(stop.cash_due_minor) })),
    field(t("Taken"), amount, t("0, when nothing was paid.")), h("div", { class: "pair" }, way("cash", t("Cash")), way("upi", t("UPI"))), code, reference);
  const show = async () => {
    const byPhone = around.querySelector("[value=upi]").checked;
    reference.hidden = !byPhone;
    const typed = amount.value.trim().replace(",", ".");
    const link = byPhone && AMOUNT.test(typed) && Number(typed) ? linkOf(stop, Number(typed)) : "";
    code.replaceChildren(...(link ? [await drawn(link), h("p", { class: "facts" }, icon("qrcode"), t("Let the customer scan this with any UPI app: {money}", { money: money(Math.round(Number(typed) * 100)) }))] : []));
  };
  around.addEventListener("change", () => show().catch(() => code.replaceChildren()));
  show().catch(() => code.replaceChildren());
  return around;
}

// The platform gives the link for all that is due; paid may be another amount.
const linkOf = (stop, amount) => (stop.upi_link ?? "").replace(/([?&]am=)[^&]*/, `$1${amount.toFixed(2)}`);

async function drawn(link) {
  const rows = await qr(link);
  const size = rows.length + 2 * QUIET;
  const path = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : ""))).join("");
  const drawing = document.createElementNS(SVG, "svg");
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  Object.entries({ viewBox: `0 0 ${size} ${size}`, class: "qr", role: "img", "aria-label": t("Code to pay by UPI"), "data-text": link }).forEach(([name, value]) => drawing.setAttribute(name, value));
  drawing.append(shape);
  return drawing;
}

export function paymentOf(stop, said) {
  if (!stop.cash_due_minor) return {};
  const amount = said("amount").replace(",", ".");
  if (!AMOUNT.test(amount)) return { wrong: "amount", text: t("An amount, as 250 or 99.50") };
  const method = said("method");
  if (method === "upi" && Number(amount) && !said("reference")) return { wrong: "reference", text: t("The number that the payment app shows.") };
  return { amount_minor: Math.round(Number(amount) * 100), method, reference: method === "upi" ? said("reference") : `cash-${stop.id}` };
}

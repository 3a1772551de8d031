// Making elements: h("button", {class: "main", onclick: f}, "text"). What is null or false is left out.
import { told } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

export function h(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "value") made.value = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return made;
}

export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  drawing.setAttribute("viewBox", "0 0 24 24");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${told.icons}#${name}`);
  drawing.append(use);
  return drawing;
}

export const button = (text, drawn, given = {}) => h("button", { type: "button", class: "button", ...given }, drawn && icon(drawn), h("span", {}, text));
export const link = (text, drawn, href, given = {}) => h("a", { class: "button", href, ...given }, drawn && icon(drawn), h("span", {}, text));

// A field with its label, and room for what is wrong with it.
export function field(label, input, hint = "") {
  const id = (input.id ||= `f-${input.name}`);
  input.setAttribute("aria-describedby", `e-${input.name}`);
  return h("div", { class: "field" }, h("label", { for: id }, label), input, h("p", { class: "hint", id: `e-${input.name}` }, hint));
}

export function complain(form, name, text) {
  const input = form.querySelector(`[name="${name}"]`);
  const place = form.querySelector(`#e-${name}`);
  if (place) {
    place.textContent = text;
    place.className = "hint wrong";
  }
  input?.setAttribute("aria-invalid", "true");
  form.addEventListener("input", () => {
    input?.removeAttribute("aria-invalid");
    if (place?.textContent === text) place.textContent = "";
  }, { once: true });
  (input ?? place)?.focus();
  return false;
}

let gone = null;
export function say(text, tone = "good") {
  const place = document.getElementById("said");
  place.replaceChildren(h("p", { class: `toast ${tone}` }, text));
  clearTimeout(gone);
  gone = setTimeout(() => place.replaceChildren(), tone === "bad" ? 9000 : 4000);
}

// Filters of a table under a name: each person's own, kept by the platform.
import { toast } from "./toasts.js";

const hindi = document.documentElement.lang === "hi";
const SAID = hindi
  ? { label: "सहेजे गए दृश्य", none: "दृश्य…", save: "यह दृश्य सहेजें…", forget: "यह दृश्य हटाएँ", name: "दृश्य का नाम", kept: "दृश्य सहेजा गया।", gone: "दृश्य हटाया गया।" }
  : { label: "Saved views", none: "Views…", save: "Save this view…", forget: "Delete this view", name: "Name of the view", kept: "The view is saved.", gone: "The view is deleted." };

const asked = () => {
  const query = new URLSearchParams(window.location.search);
  query.delete("cursor");
  return query.toString();
};

async function sent(address, fields) {
  const answer = await fetch(address, fields && { method: "POST", body: new URLSearchParams(fields) });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok || answer.redirected) throw new Error(said.problem ?? "");
  return said;
}

async function offer(place) {
  const page = window.location.pathname;
  const select = document.createElement("select");
  select.className = "form-select w-auto d-inline-block";
  select.setAttribute("aria-label", SAID.label);
  let views = await sent(`/console/views?page=${encodeURIComponent(page)}`);
  const shown = () => views.find((view) => view.query === asked());
  const fill = () => {
    select.replaceChildren(new Option(SAID.none, ""), ...views.map((view) => new Option(view.name, view.id, false, view === shown())));
    if (shown()) select.append(new Option(SAID.forget, "-"));
    else if (asked()) select.append(new Option(SAID.save, "+"));
  };
  const keep = async (name) => {
    views = await sent("/console/views", { page, name, query: asked() });
    toast(SAID.kept);
  };
  const forget = async () => {
    views = await sent(`/console/views/${shown().id}/delete`, { page });
    toast(SAID.gone);
  };
  select.addEventListener("change", async () => {
    const chosen = select.value;
    const view = views.find((one) => one.id === chosen);
    if (view) {
      window.location.search = view.query;
      return;
    }
    try {
      if (chosen === "-") await forget();
      else if (chosen === "+") {
        const name = window.prompt(SAID.name)?.trim();
        if (name) await keep(name);
      } else window.location.search = "";
    } catch (problem) {
      if (problem.message) toast(problem.message, "red");
    }
    fill();
  });
  fill();
  place.append(select);
}

export function offerViews(root) {
  // a page whose views cannot be had works as ever
  root.querySelectorAll("[data-saved-views]").forEach((place) => offer(place).catch(() => {}));
}

// What is being typed may go on: <input data-suggest="/console/..."> asks there with ?q= for [{text, note, href}], shows
// them below, and goes where the chosen one leads. Arrow keys, Enter and Escape work; Enter alone sends the form.
// With data-suggest-into="an id" it goes nowhere: the chosen one's `id` is the value of that field, and what there is to
// choose is shown as soon as somebody comes to it.
const SHORTEST = 3;
const PAUSE_MS = 150;
let lists = 0;

function suggest(input) {
  const list = document.createElement("div");
  list.id = `suggestions-${++lists}`;
  list.className = "dropdown-menu suggestions w-100";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.labels?.[0]?.textContent ?? "");
  input.after(list);
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"]]) input.setAttribute(name, value);
  const into = input.dataset.suggestInto ? document.getElementById(input.dataset.suggestInto) : null;
  const shortest = into ? 0 : SHORTEST;
  let chosen = -1;
  let waiting;
  let asked = 0;

  const close = () => {
    asked += 1;
    chosen = -1;
    list.classList.remove("show");
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (place) => {
    const options = [...list.children];
    chosen = (place + options.length) % options.length;
    options.forEach((option, at) => {
      option.classList.toggle("active", at === chosen);
      option.setAttribute("aria-selected", String(at === chosen));
    });
    input.setAttribute("aria-activedescendant", options[chosen].id);
  };
  const option = (said, place) => {
    const link = document.createElement("a");
    link.className = "dropdown-item d-flex gap-2";
    link.href = said.href;
    link.id = `${list.id}-${place}`;
    link.tabIndex = -1;
    link.setAttribute("role", "option");
    link.setAttribute("aria-selected", "false");
    const text = document.createElement("span");
    text.textContent = said.text;
    const note = document.createElement("span");
    note.className = "text-secondary ms-auto";
    note.textContent = said.note ?? "";
    link.append(text, note);
    link.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    link.addEventListener("click", (event) => into && take(event, said));
    return link;
  };
  const take = (event, said) => {
    event.preventDefault();
    into.value = said.id;
    input.value = said.text;
    into.dispatchEvent(new Event("change", { bubbles: true }));
    close();
  };
  const ask = async () => {
    const word = input.value.trim();
    if (word.length < shortest) return close();
    const mine = ++asked;
    const answer = await fetch(`${input.dataset.suggest}?q=${encodeURIComponent(word)}`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok || mine !== asked) return;
    const found = await answer.json();
    if (mine !== asked) return;
    list.replaceChildren(...found.map(option));
    chosen = -1;
    input.removeAttribute("aria-activedescendant");
    list.classList.toggle("show", found.length > 0);
    input.setAttribute("aria-expanded", String(found.length > 0));
  };

  input.addEventListener("input", () => {
    if (into) into.value = "";
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE_MS);
  });
  input.addEventListener("keydown", (event) => {
    if (!list.classList.contains("show")) return;
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen < 0 ? -1 : chosen - 1);
    else if (event.key === "Enter" && (chosen >= 0 || into)) list.children[Math.max(chosen, 0)].click();
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  if (into) input.addEventListener("focus", () => into.value || ask());
  input.addEventListener("blur", close);
}

document.querySelectorAll("[data-suggest]").forEach(suggest);

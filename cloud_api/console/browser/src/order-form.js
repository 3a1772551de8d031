// An order is taken without a mouse. <input data-chooses="#found"> goes through what [role=option] is in there: arrow
// keys choose, Enter takes what is chosen or else the first, Escape empties. A product that was added has its quantity
// typed next; Enter there goes back to the search, Ctrl+Enter sends the order.
const options = (input) => [...document.querySelectorAll(`${input.dataset.chooses} [role=option]`)];
const chosen = (input) => options(input).find((option) => option.getAttribute("aria-selected") === "true");

function choose(input, step) {
  const all = options(input);
  if (all.length === 0) return;
  const at = all.indexOf(chosen(input));
  const next = all[(at < 0 && step < 0 ? all.length - 1 : at + step + all.length) % all.length];
  all.forEach((option) => {
    option.classList.toggle("active", option === next);
    option.setAttribute("aria-selected", String(option === next));
  });
  input.setAttribute("aria-activedescendant", next.id);
  next.scrollIntoView({ block: "nearest" });
}

function inSearch(input, event) {
  if (event.key === "ArrowDown") choose(input, 1);
  else if (event.key === "ArrowUp") choose(input, -1);
  else if (event.key === "Enter") (chosen(input) ?? options(input)[0])?.click();
  else if (event.key === "Escape" && input.value) {
    input.value = "";
    input.dispatchEvent(new Event("input", { bubbles: true }));
  } else return;
  event.preventDefault();
}

document.addEventListener("keydown", (event) => {
  const { target } = event;
  const form = target.closest?.("#order-form") ?? document.querySelector(target.dataset?.sends ?? "#none");
  if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  } else if (target.dataset?.chooses) inSearch(target, event);
  else if (event.key === "Enter" && target.matches?.("[data-then]")) {
    event.preventDefault();
    target.dispatchEvent(new Event("change", { bubbles: true }));
    document.querySelector(target.dataset.then)?.focus();
  }
});

document.body.addEventListener("htmx:afterSettle", (event) => {
  const search = document.querySelector("[data-chooses]");
  if (search) search.setAttribute("aria-expanded", String(options(search).length > 0));
  if (event.target.id !== "lines") return;
  const added = event.target.querySelector("[data-added]");
  if (!added) return;
  if (search) search.value = "";
  added.focus();
  added.select();
});

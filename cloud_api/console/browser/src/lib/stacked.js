// On a phone the rows of a table stand as cards: what a row is about, and below it each cell under its column's head.
// Tables of up to three columns stay tables, and so do those that say how they want to stand (Tabler's `table-mobile`).
const phone = window.matchMedia("(max-width: 575.98px)");
const MOST_COLUMNS = 3;
const LONG = 40;
const ROLES = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TFOOT: "rowgroup", TR: "row", TD: "cell", TH: "columnheader" };

const textOf = (element) => element.textContent.trim().replace(/\s+/g, " ");

// What a cell is to its card: what chooses it, its name, all of a line, half of one, or nothing.
function partOf(cell, column, named) {
  const text = textOf(cell);
  const controls = cell.querySelector("a, button, input:not([type=hidden]), select, textarea, svg, img, canvas");
  if (!controls && ["", "–", "-"].includes(text)) return "nothing";
  if (column === 0 && text === "" && controls.matches("input[type=checkbox]")) return "choice";
  const typed = cell.querySelector("input:not([type=hidden], [type=checkbox]), select, textarea");
  if (!named && !typed) return "name";
  return typed || cell.colSpan > 1 || text.length > LONG || cell.querySelector("form, .btn, .progress") ? "line" : "half";
}

// A head that nobody sees names what says it itself, unless that is only a tick.
function headOf(head, cell, part) {
  const unsaid = !head || cell.colSpan > 1 || part === "name" || part === "choice";
  if (unsaid || (head.querySelector(".visually-hidden") && !cell.querySelector("input"))) return "";
  return textOf(head);
}

function layOut(row, heads) {
  let column = 0;
  let named = false;
  for (const cell of row.cells) {
    const part = partOf(cell, column, named);
    named ||= part === "name";
    cell.dataset.part = part;
    cell.dataset.head = headOf(heads[column], cell, part);
    cell.setAttribute("role", cell.tagName === "TH" ? "rowheader" : "cell");
    column += cell.colSpan;
  }
}

function stack(table) {
  const rows = table.tHead?.rows ?? [];
  const heads = rows.length === 1 ? [...rows[0].cells] : [];
  if (heads.length <= MOST_COLUMNS || /table-mobile/.test(table.className)) return;
  table.classList.add("stacked");
  for (const part of [table, table.tHead, ...table.tBodies, ...(table.tFoot ? [table.tFoot] : []), ...table.rows, ...heads]) {
    part.setAttribute("role", ROLES[part.tagName]);
  }
  for (const body of [...table.tBodies, ...(table.tFoot ? [table.tFoot] : [])]) {
    for (const row of body.rows) layOut(row, heads);
  }
}

export function stackTables(root) {
  if (phone.matches) root.querySelectorAll(".table-responsive > table").forEach(stack);
}
phone.addEventListener("change", () => stackTables(document));

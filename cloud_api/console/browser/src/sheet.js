// Sheets: a table with a field in each row. Enter and the arrows lead from row to row; Ctrl+Enter sends the form.
// Beside a field with data-expected the difference is written as it is typed.
document.querySelectorAll("[data-sheet]").forEach((sheet) => {
  const fields = () => [...sheet.querySelectorAll("input.number")];
  sheet.addEventListener("keydown", (event) => {
    const field = event.target.closest("input.number");
    if (!field) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      field.form.requestSubmit();
      return;
    }
    const step = { Enter: event.shiftKey ? -1 : 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = fields();
    const next = all[all.indexOf(field) + step];
    next?.focus();
    next?.select();
  });
  sheet.addEventListener("input", (event) => show(event.target));
  fields().forEach(show);
});

function show(field) {
  const place = field.closest("tr")?.querySelector("[data-difference]");
  if (!place || field.dataset.expected === undefined) return;
  const typed = field.value.trim();
  const difference = Math.round((Number(typed) - Number(field.dataset.expected)) * 1000) / 1000;
  const told = typed !== "" && Number.isFinite(difference);
  place.textContent = !told ? "" : difference === 0 ? "✓" : `${difference > 0 ? "+" : "−"}${Math.abs(difference)}`;
}

// Before anything is painted: the theme that the person chose, or else the system's.
const chosen = document.documentElement.dataset.theme;
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const apply = () => {
  const theme = chosen === "auto" ? (dark.matches ? "dark" : "light") : chosen;
  document.documentElement.setAttribute("data-bs-theme", theme);
};
apply();
dark.addEventListener("change", apply);

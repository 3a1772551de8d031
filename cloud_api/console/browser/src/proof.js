// A sheet that is printed: <button data-print>.
document.querySelectorAll("[data-print]").forEach((button) => button.addEventListener("click", () => window.print()));

// While somebody floods the forms, each begins a short sum when it is sent, and says so meanwhile.
for (const widget of document.querySelectorAll("altcha-widget")) {
  const status = widget.parentElement.querySelector("[role=status]");
  globalThis.$altcha.algorithms.set("PBKDF2/SHA-256", () => new Worker(widget.dataset.worker));
  widget.addEventListener("statechange", (event) => {
    status.textContent = status.dataset[event.detail.state] || status.textContent;
  });
  // A second press while the sum goes on would send the form without it.
  widget.closest("form").addEventListener("submit", (event) => {
    if (widget.getState() === "verifying") event.preventDefault();
  }, { capture: true });
}

// Before the first paint, and from our own origin: the page's policy allows nothing inline.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("osler.theme");
  } catch {
    // a browser without storage follows the system
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();

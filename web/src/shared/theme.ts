// The theme follows the system until the switch is used; the choice is kept on this device alone.

export type Theme = "system" | "light" | "dark";
const KEY = "osler.theme";
const ORDER: readonly Theme[] = ["system", "light", "dark"];

export function currentTheme(storage: Storage): Theme {
  const kept = storage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
}

export function nextTheme(theme: Theme): Theme {
  return ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length] ?? "system";
}

export function applyTheme(theme: Theme, storage: Storage, root: HTMLElement): void {
  if (theme === "system") {
    storage.removeItem(KEY);
    delete root.dataset["theme"];
  } else {
    storage.setItem(KEY, theme);
    root.dataset["theme"] = theme;
  }
}

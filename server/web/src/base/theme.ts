// Light, dark, or as the system has it.
import { store, useStore } from "./store";

export type Choice = "auto" | "light" | "dark";

const place = "raceway-theme";
const stored = localStorage.getItem(place);
const choice = store<Choice>(stored === "light" || stored === "dark" ? stored : "auto");
const system = window.matchMedia("(prefers-color-scheme: dark)");
const systemDark = store(system.matches);
system.addEventListener("change", () => systemDark.set(system.matches));

function show() {
  const theme = choice.get();
  document.documentElement.style.colorScheme = theme === "auto" ? "light dark" : theme;
}
show();

export function choose(theme: Choice) {
  if (theme === "auto") localStorage.removeItem(place);
  else localStorage.setItem(place, theme);
  choice.set(theme);
  show();
}

export const useChoice = () => useStore(choice);

export function useTheme(): "light" | "dark" {
  const chosen = useStore(choice);
  const dark = useStore(systemDark);
  return chosen === "auto" ? (dark ? "dark" : "light") : chosen;
}

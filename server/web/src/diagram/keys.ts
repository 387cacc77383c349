// The keys of the diagram. Each is also a button.

export type Action =
  | "zoomIn" | "zoomOut" | "panLeft" | "panRight" | "fitAll" | "fitSelection"
  | "left" | "right" | "up" | "down" | "firstCause" | "firstEffect"
  | "past" | "future" | "concurrent" | "nextMatch" | "previousMatch" | "nextRace" | "previousRace"
  | "mark" | "axis" | "find" | "back";

export interface Key {
  key: string; // as KeyboardEvent.key has it; letters in lower case unless shift is meant
  action: Action;
  says: string;
  shown: string;
}

const key = (name: string, action: Action, says: string, shown = name.toUpperCase()): Key => ({ key: name, action, says, shown });

export const KEYS: readonly Key[] = [
  key("w", "zoomIn", "Zoom in"),
  key("s", "zoomOut", "Zoom out"),
  key("a", "panLeft", "Move left"),
  key("d", "panRight", "Move right"),
  key("0", "fitAll", "Show all"),
  key("f", "fitSelection", "Show the selected event with its causes and effects"),
  key("ArrowLeft", "left", "Event before on the lane", "←"),
  key("ArrowRight", "right", "Next event on the lane", "→"),
  key("ArrowUp", "up", "Event on the lane above", "↑"),
  key("ArrowDown", "down", "Event on the lane below", "↓"),
  key("p", "firstCause", "First cause"),
  key("c", "firstEffect", "First effect"),
  key("b", "past", "Shade what happened before"),
  key("v", "future", "Shade what happened after"),
  key("x", "concurrent", "Shade what is concurrent"),
  key("n", "nextMatch", "Next match", "n"),
  key("N", "previousMatch", "Previous match", "N"),
  key("r", "nextRace", "Next race", "r"),
  key("R", "previousRace", "Previous race", "R"),
  key("m", "mark", "Mark this event, to compare two"),
  key("t", "axis", "Causal or time axis"),
  key("/", "find", "Find"),
  key("Escape", "back", "Let go of the selection", "Esc"),
];

export interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** What a key press means, or null. Shift matters only for letters that have two meanings. */
export function actionOf(pressed: Pressed): Action | null {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return null;
  const exact = KEYS.find((one) => one.key === pressed.key) ?? KEYS.find((one) => one.key === pressed.key.toLowerCase());
  return exact?.action ?? null;
}

export function keyOf(action: Action): Key {
  return KEYS.find((one) => one.action === action)!;
}

/** Whether keys go into a field instead. */
export function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
}

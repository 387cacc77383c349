// The colours of the canvases, for both themes. Kinds are drawn in the colours of Okabe and Ito; the ink around them keeps
// even the bright ones apart from the ground.

export interface Palette {
  surface: string;
  band: string; // headings
  rule: string; // between bands, at ticks
  life: string; // a lane from its first to its last event
  faint: string; // before and after
  text: string;
  muted: string;
  edge: string;
  weak: string;
  accent: string;
  race: string;
  warning: string;
  cause: string;
  effect: string;
  concurrent: string;
  match: string;
  fill: readonly string[]; // by Kind
  ink: readonly string[];
  mixed: string; // a bar of several kinds
}

const OKABE_ITO = {
  orange: "#e69f00", sky: "#56b4e9", green: "#009e73", yellow: "#f0e442", blue: "#0072b2", vermillion: "#d55e00", purple: "#cc79a7",
};
const { orange, sky, green, yellow, blue, vermillion, purple } = OKABE_ITO;

const LIGHT: Palette = {
  surface: "#ffffff",
  band: "#f5f7fa",
  rule: "#e7ebf0",
  life: "#b4bec9",
  faint: "#e4e9ee",
  text: "#1c2733",
  muted: "#5a6675",
  edge: "#8391a1",
  weak: "#a9b4c0",
  accent: "#0b5cad",
  race: "#d0103a",
  warning: "#b34700",
  cause: blue,
  effect: "#007a58",
  concurrent: "#a8467c",
  match: "#b8860b",
  fill: ["#8793a1", orange, sky, purple, blue, green, yellow, vermillion],
  ink: ["#56616e", "#7a5200", "#1f6ea3", "#8a3f68", "#004a77", "#00634a", "#7d7400", "#8a3c00"],
  mixed: "#97a3b1",
};

const DARK: Palette = {
  surface: "#12161c",
  band: "#181e26",
  rule: "#232b35",
  life: "#4a5666",
  faint: "#262e39",
  text: "#e4e9ef",
  muted: "#95a2b2",
  edge: "#6f7e90",
  weak: "#56616f",
  accent: "#7cc0ff",
  race: "#ff5c7a",
  warning: "#ffa24d",
  cause: sky,
  effect: "#2fcf9f",
  concurrent: "#e59bc6",
  match: yellow,
  fill: ["#7f8b9a", orange, sky, purple, "#2f8fd0", green, yellow, vermillion],
  ink: ["#b9c3ce", "#ffd27a", "#b5e0fb", "#f0c4dc", "#9ed2f7", "#7fe3c4", "#fff7a8", "#ffab7a"],
  mixed: "#66727f",
};

export function paletteOf(theme: "light" | "dark"): Palette {
  return theme === "dark" ? DARK : LIGHT;
}

export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif";

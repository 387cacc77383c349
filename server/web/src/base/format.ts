// Numbers, times and foreign texts as people read them.

const whole = new Intl.NumberFormat("en-US");
export const count = (n: number) => whole.format(n);
export const plural = (n: number, one: string, many = one + "s") => `${count(n)} ${n === 1 ? one : many}`;

export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return "–";
  const size = Math.abs(ms);
  if (size === 0) return "0";
  if (size < 1) return `${rounded(ms * 1000)} µs`;
  if (size < 1000) return `${rounded(ms)} ms`;
  if (size < 60_000) return `${rounded(ms / 1000)} s`;
  if (size < 3_600_000) return `${rounded(ms / 60_000)} min`;
  return size < 86_400_000 * 2 ? `${rounded(ms / 3_600_000)} h` : `${rounded(ms / 86_400_000)} d`;
}

const rounded = (n: number) => (Math.abs(n) >= 100 ? count(Math.round(n)) : String(Number(n.toPrecision(2 + Number(Math.abs(n) >= 10)))));

export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (n >= 1000 && unit < units.length - 1) [n, unit] = [n / 1000, unit + 1];
  return `${unit === 0 ? n : rounded(n)} ${units[unit]}`;
}

/** Milliseconds since 1970, with a fraction; NaN where the text is no time. */
export function millis(time: string): number {
  const whole = Date.parse(time);
  const fraction = /\.\d{3}(\d{1,6})/.exec(time)?.[1];
  return fraction === undefined ? whole : whole + Number("0." + fraction);
}

const two = (n: number) => String(n).padStart(2, "0");

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** 12:00:01.250, in front of it the day where it is another one than today's. */
export function clock(time: string | number, fraction = 3): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return "–";
  const text = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}` + (fraction === 0 ? "" : "." + String(at.getMilliseconds()).padStart(3, "0"));
  const now = new Date();
  if (at.toDateString() === now.toDateString()) return text;
  const day = `${at.getDate()} ${months[at.getMonth()]!}`;
  return at.getFullYear() === now.getFullYear() ? `${day} ${text}` : `${day} ${at.getFullYear()} ${text}`;
}

export function ago(time: string | number, now = Date.now()): string {
  const seconds = (now - new Date(time).getTime()) / 1000;
  if (Number.isNaN(seconds)) return "–";
  if (seconds < 5) return "just now";
  if (seconds < 90) return `${Math.round(seconds)} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}

export const shortId = (id: string) => (/^[0-9a-f]{8}-[0-9a-f]{4}-/i.test(id) ? id.slice(0, 8) : cut(id, 24));

/** At most so long, and never between the two halves of a character. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, "") + "…";
}

const unseen = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
const halves = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** A foreign text in one line: characters that are not seen, or that turn others around, made visible. */
export function visible(text: string): string {
  return text.replace(halves, "\ufffd").replace(unseen, (c) => (c === "\n" ? "⏎" : c === "\t" ? " " : `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`));
}

/** A JSON value in one line. */
export function value(json: unknown, most = 60): string {
  if (json === undefined) return "";
  return cut(visible(typeof json === "string" ? JSON.stringify(json) : JSON.stringify(json) ?? ""), most);
}

/** The end of a path, which tells the most: server.ts:339. */
export function shortPlace(place: string): string {
  const file = visible(place).split(/[\\/]/).pop() ?? "";
  return cut(file === "" ? visible(place) : file, 48);
}

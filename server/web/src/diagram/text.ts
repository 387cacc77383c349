// Texts from traces made safe and short for a reader, and numbers put into words. Traces are hostile input: a name may
// have 10,000 characters, turn the writing direction around, or be no text at all.

const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc]|[\ud800-\udfff]/gu;

/** The text with everything that is not to be seen, or turns others around, replaced by a mark; cut at `most` characters. */
export function clean(text: unknown, most = 160): string {
  if (typeof text !== "string") return text === null || text === undefined ? "" : clean(String(text), most);
  const short = text.length > most ? text.slice(0, most - 1) + "…" : text;
  return short.replace(UNSEEN, "\ufffd");
}

/** A span of microseconds: "3.2 ms". Three digits are enough for a reader. */
export function span(micros: number): string {
  const size = Math.abs(micros);
  if (size === 0) return "0";
  if (size < 1e3) return `${digits(micros)} µs`;
  if (size < 1e6) return `${digits(micros / 1e3)} ms`;
  if (size < 6e7) return `${digits(micros / 1e6)} s`;
  if (size < 3.6e9) return `${digits(micros / 6e7)} min`;
  if (size < 8.64e10) return `${digits(micros / 3.6e9)} h`;
  return `${digits(micros / 8.64e10)} d`;
}

function digits(value: number): string {
  const size = Math.abs(value);
  const text = value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** 12,345 */
export function grouped(value: number): string {
  return value.toLocaleString("en-US");
}

/** "1 event", "2 events" */
export function several(value: number, one: string, more = `${one}s`): string {
  return `${grouped(value)} ${value === 1 ? one : more}`;
}

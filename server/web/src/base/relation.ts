// How two events stand to each other, in a whole sentence.
import { cut, visible } from "./format";
import { Relation } from "./types";

export function relationSentence(relation: Relation["relation"], a: string, b: string): string {
  const first = `“${cut(visible(a), 60)}”`;
  const second = `“${cut(visible(b), 60)}”`;
  switch (relation) {
    case "before": return `${first} happened before ${second}.`;
    case "after": return `${first} happened after ${second}.`;
    case "equal": return `${first} and ${second} are the same moment: their clocks are equal.`;
    case "concurrent": return `${first} and ${second} are concurrent: neither has seen the other.`;
    default: return `Unknown: no clock and no link tells how ${first} and ${second} stand to each other.`;
  }
}

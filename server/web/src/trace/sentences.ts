// What is said of two events, in whole sentences.
import { cut, value, visible } from "../base/format";
import { Relation } from "../base/types";

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

export const verb = (access: string) => (/Write|RMW/.test(access) ? "writes" : "reads");

export function change(oldValue: unknown, newValue: unknown, access: string): string {
  if (!/Write|RMW/.test(access)) return value(newValue === undefined ? oldValue : newValue, 40);
  return oldValue === undefined || oldValue === null ? value(newValue, 40) : `${value(oldValue, 40)} → ${value(newValue, 40)}`;
}

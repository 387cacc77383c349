// What a reader did to the lanes: hidden, collapsed, pinned, moved. It is kept in the address as the texts of `hide`: a
// lane's key is a hidden lane; with a sign before it, something else. Signs are never the first character of a key.

import type { GraphLane } from "./graph";

export type FindMode = "highlight" | "dim" | "filter";

export interface Arrangement {
  hidden: ReadonlySet<string>;
  collapsed: ReadonlySet<string>;
  pinned: readonly string[];
  moved: readonly (readonly [string, string])[]; // a node, and before which of its siblings it stands; "" is the end
  near: boolean; // ordered so that arrows are short
  find: FindMode;
}

const COLLAPSED = "~";
const PINNED = "^";
const MOVED = ">";
const OPTION = "@";

export function readArrangement(hide: readonly string[]): Arrangement {
  const with_ = (sign: string) => hide.filter((text) => text.startsWith(sign)).map((text) => text.slice(1));
  const options = with_(OPTION);
  return {
    hidden: new Set(hide.filter((text) => text !== "" && !(COLLAPSED + PINNED + MOVED + OPTION).includes(text[0]!))),
    collapsed: new Set(with_(COLLAPSED)),
    pinned: with_(PINNED),
    moved: with_(MOVED).map((text) => [text.split(MOVED)[0]!, text.split(MOVED)[1] ?? ""]),
    near: options.includes("near"),
    find: options.includes("filter") ? "filter" : options.includes("dim") ? "dim" : "highlight",
  };
}

export function writeArrangement(arrangement: Arrangement): string[] {
  return [
    ...arrangement.hidden,
    ...[...arrangement.collapsed].map((key) => COLLAPSED + key),
    ...arrangement.pinned.map((key) => PINNED + key),
    ...arrangement.moved.map(([key, before]) => `${MOVED}${key}${MOVED}${before}`),
    ...(arrangement.near ? [`${OPTION}near`] : []),
    ...(arrangement.find !== "highlight" ? [OPTION + arrangement.find] : []),
  ];
}

export function toggled(keys: ReadonlySet<string>, key: string): Set<string> {
  const next = new Set(keys);
  if (!next.delete(key)) next.add(key);
  return next;
}

export function moved(arrangement: Arrangement, key: string, before: string): Arrangement {
  return { ...arrangement, moved: [...arrangement.moved.filter(([one]) => one !== key), [key, before]] };
}

/** Service, process and thread of a lane, each beginning with the one before. */
export function keysOf(lane: GraphLane): [string, string, string] {
  const service = part(lane.service);
  const process = `${service}/${part(lane.instance ?? lane.process)}`;
  return [service, process, `${process}/${part(lane.thread)}`];
}

/** `*` stands for a name that is not there; whatever could be taken for a sign or a separator is escaped. */
function part(name: string | null): string {
  if (name === null) return "*";
  return encodeURIComponent(name).replace(/[*~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

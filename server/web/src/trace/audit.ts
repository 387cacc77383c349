// What became of a variable: which write each value comes from, which writes were lost, what is concurrent.
import { Access } from "../base/types";

export interface Audited extends Access {
  writes: boolean;
  lostUpdate: boolean; // a write that starts from another value than the last one before it has left
  sources: number[]; // the accesses that may have left the value it began with
  run: number; // accesses that nothing orders have the same number; 0 stands alone
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

export function audit(accesses: Access[]): Audited[] {
  const audited: Audited[] = [];
  let lastWrite = -1;
  let runs = 0;
  accesses.forEach((access, at) => {
    const writes = /Write|RMW/.test(access.access_type);
    const began = writes ? access.old_value : access.new_value ?? access.old_value;
    const tells = began !== null && began !== undefined;
    const before = audited[at - 1];
    const concurrent = before !== undefined && !access.has_causal_link_to_previous;
    if (concurrent && before.run === 0) before.run = ++runs;
    audited.push({
      ...access, writes, run: concurrent ? before.run : 0,
      lostUpdate: writes && tells && lastWrite >= 0 && !same(audited[lastWrite]!.new_value, began),
      sources: tells ? sourcesOf(audited, at, began) : [],
    });
    if (writes) lastWrite = at;
  });
  return audited;
}

/** The last write before it that left the value, and those that are concurrent with that one and left it, too. */
function sourcesOf(before: Audited[], at: number, began: unknown): number[] {
  const found: number[] = [];
  for (let each = at - 1; each >= 0; each--) {
    const access = before[each]!;
    if (!access.writes || !same(access.new_value, began)) continue;
    if (found.length > 0 && (access.run === 0 || access.run !== before[found[0]!]!.run)) break;
    found.push(each);
  }
  return found;
}

// Random windows onto an axis.

import { type Size, type View, whole } from "../../../server/web/src/diagram/view";
import type { Chance } from "./random";

export function randomView(chance: Chance, axis: Size, width = 200 + chance.below(1200)): View {
  const all = whole(axis, width);
  if (chance.below(3) === 0) return { ...all, width, height: 500, scroll: 0 };
  const from = all.from + chance.real() * (all.to - all.from);
  return { from, to: from + (all.to - all.from) * 10 ** -(chance.real() * 4), width, height: 500, scroll: chance.below(200) };
}

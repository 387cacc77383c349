// The axis: one monotone function and its inverse; folds and ticks; windows.

import assert from "node:assert/strict";
import test from "node:test";
import { foldsIn, makeAxis, positionOf, ticks, valueAt } from "../../../server/web/src/diagram/axis";
import { type View, around, atOf, kept, panned, whole, xOf, zoomed } from "../../../server/web/src/diagram/view";
import { readGraph } from "../../../server/web/src/diagram/graph";
import { AXES, Chance, randomGraph, randomModel, withChance } from "./random";

const near = (a: number, b: number, size = Math.max(1, Math.abs(a), Math.abs(b))) => Math.abs(a - b) <= 1e-6 * size;

test("positions rise with values, and each has its inverse", () => {
  withChance(40, (chance) => {
    const model = randomModel(chance);
    for (const name of AXES) {
      const axis = makeAxis(model, name);
      const value = (e: number) => (name === "causal" ? model.column[e]! : model.t[e]!);
      for (let e = 0; e < model.count; e++) {
        assert.ok(near(axis.at[e]!, positionOf(axis, value(e))));
        assert.ok(near(valueAt(axis, axis.at[e]!), value(e)), `${valueAt(axis, axis.at[e]!)} is not ${value(e)}`);
        assert.ok(axis.at[e]! >= 0 && axis.at[e]! <= axis.extent);
      }
      let last = -Infinity;
      for (let k = 0; k < 300; k++) {
        const at = ((k - 50) / 200) * axis.extent;
        const here = valueAt(axis, at);
        assert.ok(here > last, "values rise strictly");
        assert.ok(near(positionOf(axis, here), at, axis.extent));
        last = here;
      }
      const order = [...axis.order];
      assert.deepEqual([...order].sort((a, b) => a - b), [...model.id.keys()]);
      order.slice(1).forEach((e, k) => assert.ok(axis.at[order[k]!]! <= axis.at[e]!));
    }
  });
});

test("exactly the gaps of over twenty medians are folded, to the width of twenty, and say how long they are", () => {
  withChance(40, (chance) => {
    const model = randomModel(chance, 2 + chance.below(80));
    const axis = makeAxis(model, "time");
    const times = [...model.t].sort((a, b) => a - b);
    const gaps = times.slice(1).map((t, k) => t - times[k]!);
    const positive = gaps.filter((gap) => gap > 0).sort((a, b) => a - b);
    const most = positive.length > 0 ? 20 * positive[positive.length >> 1]! : 0;
    assert.equal(axis.folds.from.length, gaps.filter((gap) => gap > most).length);
    const folded = gaps.reduce((sum, gap) => sum + Math.min(gap, most), 0);
    assert.ok(near(folded > 0 ? folded : 1, axis.extent));
    const told = foldsIn(axis, 0, axis.extent, 0);
    assert.equal(told.length, axis.folds.from.length);
    for (const fold of told) assert.ok(near(fold.to - fold.from, most, axis.extent));
    gaps.filter((gap) => gap > most).forEach((gap, k) => {
      assert.ok(near(valueAt(axis, told[k]!.to) - valueAt(axis, told[k]!.from), gap));
    });
  });
});

test("ticks are round, apart from each other, in no fold, and tell each other apart", () => {
  withChance(60, (chance) => {
    const model = randomModel(chance, 1 + chance.below(80));
    for (const name of AXES) {
      const axis = makeAxis(model, name);
      const from = axis.extent * chance.real();
      const to = from + axis.extent * chance.real() + 1e-3;
      const found = ticks(axis, from, to, (to - from) / 12);
      assert.ok(found.length <= 40);
      found.forEach((tick, k) => {
        assert.ok(tick.at >= from && tick.at <= to);
        if (k > 0) assert.ok(tick.at - found[k - 1]!.at >= ((to - from) / 12) * 0.59);
        if (k > 0) assert.notEqual(tick.label, found[k - 1]!.label);
        axis.folds.from.forEach((begin, f) => assert.ok(!(begin < tick.at && tick.at < axis.folds.to[f]!)));
      });
    }
  });
});

test("no event, one event, and all at one time have an axis", () => {
  for (const events of [0, 1]) {
    const model = randomModel(new Chance(1), events);
    for (const name of AXES) assert.ok(makeAxis(model, name).extent > 0);
  }
  const graph = randomGraph(new Chance(2), 5, 2);
  const axis = makeAxis(readGraph({ ...graph, t: [7, 7, 7, 7, 7] }), "time");
  assert.equal(axis.extent, 1);
  assert.deepEqual([...axis.at], [0, 0, 0, 0, 0]);
});

test("zoom leaves what is under the pointer; every window is within the whole", () => {
  withChance(100, (chance) => {
    const extent = 10 ** chance.below(7);
    const axis = { extent, roomiest: chance.below(2) ? Infinity : 190 };
    const view: View = { ...whole(axis, 1000), width: 1000, height: 500, scroll: 0 };
    const all = whole(axis, 1000);
    for (let step = 0; step < 30; step++) {
      const x = chance.real() * 1000;
      const at = atOf(view, x);
      const before = view.to - view.from;
      const factor = 0.4 + chance.real() * 3;
      Object.assign(view, chance.below(3) === 0 ? panned(view, (chance.real() - 0.5) * 900, axis) : zoomed(view, factor, x, axis));
      assert.ok(view.from >= all.from - 1e-9 * extent && view.to <= all.to + 1e-9 * extent && view.to > view.from);
      assert.ok(near(atOf(view, xOf(view, at)), at, extent));
      const inside = view.from > all.from + 1e-9 * extent && view.to < all.to - 1e-9 * extent;
      if (inside && near(((view.to - view.from) * factor) / before, 1)) assert.ok(near(xOf(view, at), x, 1000), "stays");
    }
    const found = around(view, extent * 0.2, extent * 0.3, axis);
    assert.ok(found.from <= extent * 0.2 && found.to >= extent * 0.3);
  });
  const ten = { extent: 10, roomiest: Infinity };
  assert.deepEqual(kept(NaN, NaN, ten, 100), whole(ten, 100));
  const few = whole({ extent: 2, roomiest: 190 }, 1000);
  assert.ok(few.from < 0 && Math.abs(1000 / (few.to - few.from) - 190) < 1e-9);
});

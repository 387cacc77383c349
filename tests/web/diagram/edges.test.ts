// Arrows and cones against brute force.

import assert from "node:assert/strict";
import test from "node:test";
import { bundlesAtHand, bundlesFor, bundlesIn, countIn, edgesIn } from "../../../server/web/src/diagram/edges";
import { conesOf, sideOf } from "../../../server/web/src/diagram/cones";
import { futureOf, pastOf } from "../../../server/web/src/diagram/frontiers";
import type { Model } from "../../../server/web/src/diagram/graph";
import { AXES, randomHide, randomModel, sceneOf, withChance } from "./random";

test("the arrows of a window are those that touch it, no others, and counted without being looked at", () => {
  withChance(60, (chance) => {
    const model = randomModel(chance, chance.below(400));
    const only = chance.below(2) ? Uint8Array.from({ length: model.count }, () => chance.below(4)) : null;
    const { edges, axis, layout } = sceneOf(model, chance.one(AXES), randomHide(chance, model), only);
    const all: string[] = [];
    const rowOf = (e: number) => layout.rowOf[model.lane[e]!]!;
    const low = axis.extent * chance.real();
    const high = low + axis.extent * chance.real() * 0.3;
    const first = chance.below(layout.rows.length + 1);
    const end = first + chance.below(layout.rows.length + 1 - first);
    let wide = 0;
    for (let e = 0; e < model.count; e++) {
      for (let k = model.causes.from[e]!; k < model.causes.from[e + 1]!; k++) {
        const c = model.causes.other[k]!;
        if ((only && !(only[e] && only[c])) || rowOf(c) === rowOf(e)) continue;
        if (Math.max(axis.at[c]!, axis.at[e]!) < low || Math.min(axis.at[c]!, axis.at[e]!) > high) continue;
        wide++;
        if (Math.max(rowOf(c), rowOf(e)) >= first && Math.min(rowOf(c), rowOf(e)) < end) all.push(`${c}>${e}`);
      }
    }
    assert.equal(countIn(edges, low, high), wide);
    const found = edgesIn(edges, low, high, first, end, all.length)!;
    assert.deepEqual(found.map((k) => `${edges.cause[k]}>${edges.effect[k]}`).sort(), all.sort());
    if (all.length > 0) assert.equal(edgesIn(edges, low, high, first, end, all.length - 1), null);
  });
});

test("bundles hold every arrow once, between its rows, within its column", () => {
  withChance(60, (chance) => {
    const model = randomModel(chance, chance.below(400));
    const { edges, axis, layout } = sceneOf(model, chance.one(AXES), randomHide(chance, model));
    const power = chance.below(8);
    const bundles = bundlesFor(edges, axis, power);
    const counts = new Map<string, number>();
    for (let k = 0; k < edges.left.length; k++) {
      const row = (e: number) => layout.rowOf[model.lane[e]!]!;
      const key = `${Math.floor(edges.left[k]! / (axis.extent / 2 ** power))} ${row(edges.cause[k]!)} ${row(edges.effect[k]!)}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    assert.deepEqual([...bundles.count].sort(), [...counts.values()].sort());
    assert.equal(bundlesFor(edges, axis, power), bundles);
    assert.equal(bundlesAtHand(edges, axis, power + 3), bundles);
    for (let slot = 0; slot < bundles.count.length; slot++) {
      const same = slot > 0 && bundles.column[slot] === bundles.column[slot - 1];
      if (same) assert.ok(bundles.count[slot]! <= bundles.count[slot - 1]!, "the thickest first");
      const one = [...edges.left.keys()].some((k) => axis.at[edges.cause[k]!] === bundles.from[slot] && axis.at[edges.effect[k]!] === bundles.to[slot]);
      assert.ok(one, "is drawn where an arrow is");
    }
    const most = 1 + chance.below(20);
    const seen = bundlesIn(bundles, -1, axis.extent + 1, 0, layout.rows.length, most);
    assert.equal(seen.bundles, bundles.count.length);
    const columns = new Map<number, number>();
    for (const column of bundles.column) columns.set(column, (columns.get(column) ?? 0) + 1);
    assert.equal(seen.slots.length, [...columns.values()].reduce((sum, size) => sum + Math.min(size, most), 0));
  });
});

/** reach[a] holds b: a happened before b. Causes are earlier in the order, so one pass from the end does. */
function reachability(model: Model): Set<number>[] {
  const reach = Array.from({ length: model.count }, () => new Set<number>());
  for (let e = model.count - 1; e >= 0; e--) {
    const next: number[] = [];
    const place = model.laneFrom[model.lane[e]!]! + model.rank[e]! + 1;
    if (place < model.laneFrom[model.lane[e]! + 1]!) next.push(model.laneEvents[place]!);
    for (let later = e + 1; later < model.count; later++) {
      if (model.causes.other.slice(model.causes.from[later], model.causes.from[later + 1]).includes(e)) next.push(later);
    }
    for (const one of next) {
      reach[e]!.add(one);
      for (const far of reach[one]!) reach[e]!.add(far);
    }
  }
  return reach;
}

test("past, future and what is between are what reachability says", () => {
  withChance(40, (chance) => {
    const model = randomModel(chance, chance.below(90));
    const reach = reachability(model);
    for (let e = 0; e < model.count; e++) {
      const cones = conesOf(model, e);
      const sides = [...model.id.keys()].map((other) => sideOf(model, cones, other));
      sides.forEach((side, other) => {
        assert.equal(side, other === e ? 2 : reach[other]!.has(e) ? -1 : reach[e]!.has(other) ? 1 : 0);
      });
      assert.equal(cones.before, sides.filter((side) => side === -1).length);
      assert.equal(cones.after, sides.filter((side) => side === 1).length);
      assert.equal(cones.concurrent, sides.filter((side) => side === 0).length);
    }
  });
});

test("the frontiers of a row have all of the past left of them, all of the future right", () => {
  withChance(60, (chance) => {
    const model = randomModel(chance, 1 + chance.below(90));
    const scene = sceneOf(model, chance.one(AXES), randomHide(chance, model));
    const cones = conesOf(model, chance.below(model.count));
    scene.layout.rows.forEach((row, r) => {
      if (row.lanes.length !== 1) return;
      const past = pastOf(scene, cones, r);
      const future = futureOf(scene, cones, r);
      for (let e = 0; e < model.count; e++) {
        if (model.lane[e] !== row.lanes[0]) continue;
        const side = sideOf(model, cones, e);
        const at = scene.axis.at[e]!;
        if (side === -1 || e === cones.event) assert.ok(at <= past.from);
        else assert.ok(at >= past.to);
        if (side === 1 || e === cones.event) assert.ok(at >= future.from);
        else assert.ok(at <= future.to);
      }
    });
    for (const [r, row] of scene.layout.rows.entries()) {
      if (row.lanes.length < 2) continue;
      for (const l of row.lanes) {
        for (let k = model.laneFrom[l]!; k < model.laneFrom[l + 1]!; k++) {
          const e = model.laneEvents[k]!;
          const outside = sideOf(model, cones, e) === 0;
          if (scene.axis.name === "causal" && outside) assert.ok(scene.axis.at[e]! > pastOf(scene, cones, r).from);
          if (scene.axis.name === "causal" && outside) assert.ok(scene.axis.at[e]! < futureOf(scene, cones, r).from);
        }
      }
    }
  });
});

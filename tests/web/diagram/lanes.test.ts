// Rows: every lane in exactly one, whatever is hidden, collapsed, pinned or moved; stubs that count right.

import assert from "node:assert/strict";
import test from "node:test";
import { keysOf, moved, readArrangement, toggled, writeArrangement } from "../../../server/web/src/diagram/arrangement";
import { findNode, rowAt, rowsIn, siblingsOf } from "../../../server/web/src/diagram/lanes";
import { arranged, treeOf } from "../../../server/web/src/diagram/tree";
import { readGraph } from "../../../server/web/src/diagram/graph";
import { Chance, allKeys, layoutOf, randomGraph, randomHide, randomModel, withChance } from "./random";

test("every lane is in one row, and the rows count all events", () => {
  withChance(150, (chance) => {
    const model = randomModel(chance);
    const layout = layoutOf(model, randomHide(chance, model));
    const lanes = layout.rows.flatMap((row) => row.lanes);
    assert.deepEqual([...lanes].sort((a, b) => a - b), [...model.lanes.keys()]);
    layout.rows.forEach((row, r) => {
      for (const l of row.lanes) assert.equal(layout.rowOf[l], r);
      const events = row.lanes.reduce((sum, l) => sum + model.laneFrom[l + 1]! - model.laneFrom[l]!, 0);
      if (row.kind !== "heading") assert.equal(row.events, events, `${row.kind} ${row.key}`);
      assert.ok(layout.top[r + 1]! > layout.top[r]!);
    });
  });
});

test("hidden lanes are in stubs, with how many they are; a stub brings them back", () => {
  withChance(80, (chance) => {
    const model = randomModel(chance);
    const hidden = new Set(Array.from({ length: 1 + chance.below(4) }, () => chance.one(allKeys(model))));
    const layout = layoutOf(model, [...hidden]);
    const gone = (l: number) => keysOf(model.lanes[l]!).some((key) => hidden.has(key));
    for (const row of layout.rows) for (const l of row.lanes) assert.equal(row.kind === "stub", gone(l));
    const back = layout.rows.flatMap((row) => row.hidden);
    const rest = [...hidden].filter((key) => !back.includes(key));
    const still = (l: number) => keysOf(model.lanes[l]!).some((key) => rest.includes(key));
    for (const row of layoutOf(model, rest).rows) for (const l of row.lanes) assert.equal(row.kind === "stub", still(l));
    assert.ok(rest.length < hidden.size);
  });
});

test("a collapsed group is one row; what is pinned comes first", () => {
  withChance(60, (chance) => {
    const model = randomModel(chance);
    const [service] = keysOf(model.lanes[chance.below(model.lanes.length)]!);
    const layout = layoutOf(model, [`~${service}`]);
    const rows = layout.rows.filter((row) => row.key.startsWith(service));
    assert.deepEqual(rows.map((row) => row.kind), ["group"]);
    const key = chance.one(allKeys(model));
    const first = layoutOf(model, [`^${key}`]).rows[0]!;
    assert.ok(first.pinned && first.key === key);
  });
});

test("moved nodes stand before the one that was named, the rest as before", () => {
  withChance(60, (chance) => {
    const model = randomModel(chance);
    const roots = treeOf(model);
    const siblings = siblingsOf(roots, chance.one(allKeys(model)));
    const [key, before] = [chance.one(siblings).key, chance.one(siblings).key];
    const nothing = readArrangement([]);
    const after = siblingsOf(arranged(model, roots, moved(nothing, key, before)), key).map((node) => node.key);
    if (key !== before) assert.equal(after[after.indexOf(key) + 1], before);
    assert.deepEqual(after.filter((one) => one !== key), siblings.map((node) => node.key).filter((one) => one !== key));
    assert.equal(findNode(roots, key)!.key, key);
  });
});

test("the order by short arrows is an order, and never lengthens them", () => {
  withChance(40, (chance) => {
    const model = randomModel(chance, 80, 8);
    const length = (hide: string[]) => {
      const place = layoutOf(model, hide).rows.flatMap((row) => row.lanes); // without the headings
      const rowOf = model.lanes.map((_, l) => place.indexOf(l));
      let sum = 0;
      for (let e = 0; e < model.count; e++) {
        for (let k = model.causes.from[e]!; k < model.causes.from[e + 1]!; k++) {
          sum += Math.abs(rowOf[model.lane[e]!]! - rowOf[model.lane[model.causes.other[k]!]!]!);
        }
      }
      return sum;
    };
    assert.equal(layoutOf(model, ["@near"]).rows.length, layoutOf(model).rows.length);
    assert.ok(length(["@near"]) <= length([]));
  });
});

test("an arrangement survives the address", () => {
  withChance(60, (chance) => {
    const model = randomModel(chance);
    const hide = writeArrangement(readArrangement(randomHide(chance, model)));
    assert.deepEqual(writeArrangement(readArrangement(hide)), hide);
  });
  const all = { ...readArrangement([]), hidden: toggled(new Set(), "a"), collapsed: new Set(["b"]), pinned: ["c"], near: true, find: "filter" as const };
  assert.deepEqual(readArrangement(writeArrangement(moved(all, "d", "e"))), moved(all, "d", "e"));
});

test("names that look like signs, separators or nothing make keys of their own", () => {
  const names = [null, "", "*", "~a", "^a", ">a", "@near", "a/b", "a>b", "%2A", "\ud800"];
  const lanes = names.map((service) => ({ service, instance: null, process: null, thread: null, row: 0 }));
  const model = readGraph({ ...randomGraph(new Chance(1), 0, 1), lanes });
  const keys = model.lanes.map((lane) => keysOf(lane)[0]);
  assert.equal(new Set(keys).size, names.length);
  for (const key of keys) assert.deepEqual([...readArrangement([key]).hidden], key === "" ? [] : [key]);
});

test("100,000 lanes: rows are found by height, and only those in the window", () => {
  const count = 100_000;
  const graph = randomGraph(new Chance(4), 0, 1);
  graph.lanes = Array.from({ length: count }, (_, l) => ({ service: `s${l % 50}`, instance: null, process: null, thread: `t${l}`, row: 0 }));
  graph.id = graph.lanes.map((_, l) => `e${l}`);
  graph.lane = graph.lanes.map((_, l) => l);
  const model = readGraph(graph);
  const layout = layoutOf(model);
  assert.equal(layout.rows.filter((row) => row.kind === "lane").length, count);
  for (const y of [0, 1234.5, layout.top[layout.rows.length]! - 0.5]) {
    const row = rowAt(layout, y);
    assert.ok(layout.top[row]! <= y && y < layout.top[row + 1]!);
  }
  assert.equal(rowAt(layout, -1), -1);
  assert.equal(rowAt(layout, layout.top[layout.rows.length]!), -1);
  const [first, end] = rowsIn(layout, 5000, 5600);
  assert.ok(end - first < 50 && layout.top[first]! <= 5000 && layout.top[end]! >= 5600);
});

// Reading the graph: what is in it, and that nothing of what it may contain throws.

import assert from "node:assert/strict";
import test from "node:test";
import { Flag, finderOf, nameOf, readGraph } from "../../../server/web/src/diagram/graph";
import { duration } from "../../../server/web/src/base/format";
import { clean } from "../../../server/web/src/diagram/text";
import { conesOf } from "../../../server/web/src/diagram/cones";
import { find } from "../../../server/web/src/diagram/find";
import { eachBar, eachEvent, showsEvents } from "../../../server/web/src/diagram/marks";
import { hitAt } from "../../../server/web/src/diagram/hit";
import { shivizLog } from "../../../server/web/src/diagram/shiviz";
import { ticks } from "../../../server/web/src/diagram/axis";
import { whole } from "../../../server/web/src/diagram/view";
import { AXES, Chance, layoutOf, randomGraph, sceneOf, withChance } from "./random";

test("columns, lanes and edges are those of the JSON", () => {
  withChance(20, (chance) => {
    const graph = randomGraph(chance);
    const model = readGraph(JSON.parse(JSON.stringify(graph)));
    assert.equal(model.count, graph.id.length);
    assert.deepEqual([...model.lane], graph.lane);
    assert.deepEqual([...model.t], graph.t);
    for (let e = 0; e < model.count; e++) {
      const sent = graph.cause.slice(graph.cause_from[e], graph.cause_from[e + 1]).filter((c) => graph.lane[c] !== graph.lane[e]);
      assert.deepEqual([...model.causes.other.slice(model.causes.from[e], model.causes.from[e + 1])], sent);
      for (const c of sent) assert.ok(model.column[c]! < model.column[e]!, "a cause stands left of its effect");
      const rank = model.rank[e]!;
      assert.equal(model.laneEvents[model.laneFrom[model.lane[e]!]! + rank], e);
      if (rank > 0) assert.ok(model.column[model.laneEvents[model.laneFrom[model.lane[e]!]! + rank - 1]!]! < model.column[e]!);
    }
    const back: [number, number][] = [];
    for (let e = 0; e < model.count; e++) {
      for (let k = model.effects.from[e]!; k < model.effects.from[e + 1]!; k++) back.push([e, model.effects.other[k]!]);
    }
    assert.equal(back.length, model.causes.other.length);
    for (const [c, e] of back) assert.ok(model.causes.other.slice(model.causes.from[e], model.causes.from[e + 1]).includes(c));
    assert.equal(finderOf(model)("e0"), model.count > 0 ? 0 : -1);
    assert.equal(finderOf(model)(null), -1);
  });
});

const NASTY: unknown[] = [
  null, undefined, NaN, Infinity, -Infinity, -1, 1e308, 1.5, 2 ** 31, "x", "", "\u202Egnirts", "\u0000\u001b[31m", "\ud800", [], {},
  [[]], "n".repeat(10_000), true, "constructor", "__proto__",
];

/** The graph with some of what it contains replaced. */
function spoiled(chance: Chance): unknown {
  const graph = randomGraph(chance) as unknown as Record<string, unknown>;
  for (const name of Object.keys(graph)) {
    if (chance.below(8) === 0) graph[name] = chance.one(NASTY);
    const value = graph[name];
    if (!Array.isArray(value)) continue;
    for (let k = 0; k < value.length; k++) if (chance.below(6) === 0) value[k] = chance.one(NASTY);
    if (chance.below(10) === 0) value.length = chance.below(value.length + 1);
  }
  return graph;
}

test("hostile graphs throw nothing, whatever is done with them", () => {
  for (const json of NASTY) assert.equal(readGraph(json).count, 0);
  withChance(150, (chance) => {
    const model = readGraph(spoiled(chance));
    for (const text of [...model.names, ...model.lanes.flatMap((lane) => [lane.service ?? "", lane.thread ?? ""])]) {
      assert.ok(text.length <= 160);
      assert.doesNotMatch(text, /[\u0000-\u001f\u202a-\u202e\u2066-\u2069]/);
    }
    for (const name of AXES) {
      const scene = sceneOf(model, name);
      const view = { ...whole(scene.axis, 900), width: 900, height: 500, scroll: 0 };
      assert.ok([...scene.axis.at].every(Number.isFinite));
      assert.ok(ticks(scene.axis, view.from, view.to, (view.to - view.from) / 10).length < 100);
      scene.layout.rows.forEach((_, row) => {
        if (showsEvents(scene, view, row)) eachEvent(scene, view, row, (e, x) => assert.ok(Number.isFinite(x) && e >= 0));
        else eachBar(scene, view, row, (bar) => assert.ok(bar.count > 0));
      });
      hitAt(scene, view, chance.real() * 900, chance.real() * 500);
    }
    for (let e = 0; e < model.count; e += 7) {
      const cones = conesOf(model, e);
      assert.equal(cones.before + cones.after + cones.concurrent + 1, model.count);
      nameOf(model, e);
    }
    find(model, "balance -x e1");
    shivizLog(model, [...model.id.keys()]);
  });
});

test("edges that go backwards or in a circle are left out and counted", () => {
  const graph = randomGraph(new Chance(1), 3, 3);
  Object.assign(graph, { lane: [0, 1, 2], cause_from: [0, 2, 4, 6], cause: [1, 2, 0, 2, 2, 99], cause_reason: [0, 0, 1, 0, 0, 0], races: [] });
  const model = readGraph(graph);
  assert.deepEqual([...model.causes.other], [0]);
  assert.equal(model.leftOut, 5);
});

test("an event on no lane gets one, and is drawn", () => {
  const graph = { ...randomGraph(new Chance(2), 3, 1), lane: [0, 7, null] };
  const model = readGraph(graph);
  assert.equal(model.lanes.length, 2);
  assert.equal(layoutOf(model).rows.reduce((sum, row) => sum + (row.kind === "heading" ? 0 : row.events), 0), 3);
});

test("an error is an error, and an access is open where it only reads", () => {
  const graph = { ...randomGraph(new Chance(3), 3, 1), kind: [1, 1, 1], flags: [Flag.writes, Flag.reads, Flag.writes | Flag.error] };
  const model = readGraph(graph);
  assert.deepEqual([...model.open], [0, 1, 0]);
  assert.deepEqual([...model.look], [1, 1, 7]);
});

test("texts are cut and cleaned, times put into words", () => {
  assert.equal(clean("a\u202eb"), "a\\u202eb");
  assert.equal(clean("x".repeat(10_000)).length, 160);
  assert.equal(clean("\ud83d\ude00"), "\ud83d\ude00");
  assert.equal(clean(null), "");
  assert.deepEqual([0, 0.012, 3.2, -3.2, 1500, 9e4].map(duration), ["0", "12 µs", "3.2 ms", "-3.2 ms", "1.5 s", "1.5 min"]);
});

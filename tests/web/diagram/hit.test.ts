// What is under the pointer is what was drawn there; the ways from event to event; find, races, keys.

import assert from "node:assert/strict";
import test from "node:test";
import { across, along, edgeAt, hitAt } from "../../../server/web/src/diagram/hit";
import { eachBar, eachEvent, showsEvents } from "../../../server/web/src/diagram/marks";
import { find, nextMatch, numberOf } from "../../../server/web/src/diagram/find";
import { nextRace, raceLabel, racesInOrder, racesOf } from "../../../server/web/src/diagram/races";
import { KEYS, actionOf } from "../../../server/web/src/diagram/keys";
import { middleOf } from "../../../server/web/src/diagram/lanes";
import { makeAxis } from "../../../server/web/src/diagram/axis";
import { readGraph } from "../../../server/web/src/diagram/graph";
import { xOf } from "../../../server/web/src/diagram/view";
import { AXES, Chance, randomGraph, randomHide, randomModel, sceneOf, withChance } from "./random";
import { randomView } from "./views";

test("a hit on a drawn event is that event, on a bar as many events as it stands for, elsewhere nothing", () => {
  withChance(100, (chance) => {
    const model = randomModel(chance, chance.below(600), 1 + chance.below(5));
    const scene = sceneOf(model, chance.one(AXES), randomHide(chance, model));
    const view = randomView(chance, scene.axis);
    scene.layout.rows.forEach((_, r) => {
      const y = middleOf(scene.layout, r) - view.scroll;
      const drawn: number[] = [];
      if (showsEvents(scene, view, r)) {
        eachEvent(scene, view, r, (e, x) => {
          drawn.push(x);
          const hit = hitAt(scene, view, x, y)!;
          assert.equal(hit.row, r);
          assert.equal(scene.axis.at[hit.event], scene.axis.at[e]);
        });
      } else {
        eachBar(scene, view, r, (bar) => {
          drawn.push(bar.x, bar.x + bar.width);
          const hit = hitAt(scene, view, bar.x + bar.width / 2, y)!;
          assert.deepEqual([hit.row, hit.count], [r, bar.count]);
          assert.equal(scene.layout.rowOf[model.lane[hit.event]!], r);
        });
      }
      const x = chance.real() * view.width;
      const off = Math.min(...drawn.map((at) => Math.abs(at - x)));
      if (showsEvents(scene, view, r)) assert.equal(hitAt(scene, view, x, y)!.event >= 0, off < 9);
    });
    assert.equal(hitAt(scene, view, 5, scene.layout.top[scene.layout.rows.length]! + 5), null);
  });
});

test("an arrow is hit on its line", () => {
  withChance(60, (chance) => {
    const model = randomModel(chance, 60, 5);
    const scene = sceneOf(model, chance.one(AXES));
    const view = randomView(chance, scene.axis);
    if (scene.edges.left.length === 0) return;
    const k = chance.below(scene.edges.left.length);
    const point = (e: number) => [xOf(view, scene.axis.at[e]!), middleOf(scene.layout, scene.layout.rowOf[model.lane[e]!]!) - view.scroll] as const;
    const [[x1, y1], [x2, y2]] = [point(scene.edges.cause[k]!), point(scene.edges.effect[k]!)];
    const part = chance.real();
    assert.equal(edgeAt(scene, view, [k], x1 + part * (x2 - x1), y1 + part * (y2 - y1)), k);
    assert.equal(edgeAt(scene, view, [k], x1 + 1e5, y1 - 1e5), -1);
  });
});

test("along a lane and back again; across to the nearest", () => {
  withChance(60, (chance) => {
    const model = randomModel(chance, 1 + chance.below(80));
    const scene = sceneOf(model, chance.one(AXES), randomHide(chance, model));
    for (let e = 0; e < model.count; e++) {
      const next = along(scene, e, 1);
      if (next !== e) assert.equal(along(scene, next, -1), e);
      const [up, down] = [across(scene, e, -1), across(scene, e, 1)];
      const row = (one: number) => scene.layout.rowOf[model.lane[one]!]!;
      assert.ok(up === e || row(up) < row(e));
      assert.ok(down === e || row(down) > row(e));
    }
  });
});

test("find: every word somewhere, none of those with a minus; steps through all and around", () => {
  const model = readGraph({ ...randomGraph(new Chance(5), 4, 2), lane: [0, 1, 0, 1], name: [0, 1, 0, 2], kind: [1, 0, 4, 1], place: [0, -1, 1, 0] });
  const of = (query: string) => [...(find(model, query)?.matches ?? [])].flatMap((match, e) => (match ? [e] : []));
  assert.deepEqual(of("balance"), [0, 2]);
  assert.deepEqual(of("BALANCE state"), [0]);
  assert.deepEqual(of("-balance"), [1, 3]);
  assert.deepEqual(of("a.js"), [0, 3]);
  assert.deepEqual(of("s1"), [1, 3]);
  assert.deepEqual(of("e2"), [2]);
  assert.equal(find(model, "  - "), null);
  withChance(40, (chance) => {
    const some = randomModel(chance);
    const { order } = makeAxis(some, chance.one(AXES));
    const found = find(some, chance.one(["balance", "s1", "-read", "nowhere"]))!;
    assert.equal(found.count, found.matches.reduce((sum, one) => sum + one, 0));
    let at = -1;
    const seen: number[] = [];
    for (let k = 0; k < found.count; k++) {
      at = nextMatch(order, found.matches, at, 1);
      assert.equal(numberOf(order, found.matches, at), k + 1);
      seen.push(at);
    }
    assert.equal(new Set(seen).size, found.count);
    if (found.count > 0) assert.equal(nextMatch(order, found.matches, at, 1), seen[0]);
    if (found.count > 0) assert.equal(nextMatch(order, found.matches, seen[0]!, -1), at);
    if (found.count === 0) assert.equal(nextMatch(order, found.matches, at, 1), -1);
  });
});

test("races are stepped through from left to right, each once, and around", () => {
  withChance(40, (chance) => {
    const model = randomModel(chance);
    const order = racesInOrder(model, makeAxis(model, chance.one(AXES)));
    assert.equal(order.length, model.races.length);
    for (const race of model.races) {
      assert.match(raceLabel(model, race), /^[WR]–[WR] balance$/);
      for (const e of [race.a, race.b]) assert.ok(racesOf(model).get(e)!.some((r) => model.races[r] === race));
    }
    const r = nextRace(model, order, [], 1);
    if (order.length === 0) return assert.equal(r, -1);
    assert.equal(r, order[0]);
    const same = (a: number, b: number) => model.races[a]!.a === model.races[b]!.a && model.races[a]!.b === model.races[b]!.b;
    const twice = order.some((a, k) => order.some((b, j) => j !== k && (same(a, b) || (model.races[a]!.a === model.races[b]!.b && model.races[a]!.b === model.races[b]!.a))));
    if (!twice) assert.equal(nextRace(model, order, [model.races[r]!.a, model.races[r]!.b], 1), order[1 % order.length]);
    assert.equal(nextRace(model, order, [], -1), order[order.length - 1]);
  });
});

test("each key means one thing; with Ctrl it is the browser's", () => {
  const plain = { ctrlKey: false, metaKey: false, altKey: false };
  assert.equal(new Set(KEYS.map((one) => one.key)).size, KEYS.length);
  assert.equal(new Set(KEYS.map((one) => one.action)).size, KEYS.length);
  for (const one of KEYS) assert.equal(actionOf({ ...plain, key: one.key }), one.action);
  assert.equal(actionOf({ ...plain, key: "W" }), "zoomIn");
  assert.equal(actionOf({ ...plain, key: "N" }), "previousMatch");
  assert.equal(actionOf({ ...plain, key: "q" }), null);
  for (const held of ["ctrlKey", "metaKey", "altKey"]) assert.equal(actionOf({ ...plain, [held]: true, key: "a" }), null);
});

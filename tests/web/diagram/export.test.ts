// What is taken along: JSON, and logs for ShiViz. With a directory in DIAGRAM_LOGS the logs are left there, for
// test_diagram_geometry.py to read them as ShiViz does.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import test from "node:test";
import { eventsSeen, fileName, jsonOf } from "../../../server/web/src/diagram/export";
import { LOG_EVENTS, shivizLog } from "../../../server/web/src/diagram/shiviz";
import { conesOf, sideOf } from "../../../server/web/src/diagram/cones";
import { chainEvents, sentence } from "../../../server/web/src/diagram/relation";
import { finderOf, readGraph } from "../../../server/web/src/diagram/graph";
import { AXES, Chance, randomGraph, randomHide, randomModel, sceneOf, withChance } from "./random";
import { randomView } from "./views";

test("what is seen are the events of the window that are not hidden", () => {
  withChance(60, (chance) => {
    const model = randomModel(chance);
    const scene = sceneOf(model, chance.one(AXES), randomHide(chance, model));
    const view = randomView(chance, scene.axis);
    const wanted = [...model.id.keys()].filter((e) => {
      const row = scene.layout.rows[scene.layout.rowOf[model.lane[e]!]!]!;
      return row.kind !== "stub" && scene.axis.at[e]! >= view.from && scene.axis.at[e]! <= view.to;
    });
    assert.deepEqual(eventsSeen(scene, view), wanted);
    const json = JSON.parse(jsonOf(model, wanted));
    assert.deepEqual(json.events.map((event: { event_id: string }) => event.event_id), wanted.map((e) => model.id[e]));
    for (const event of json.events) for (const cause of event.causes) assert.ok(wanted.some((e) => model.id[e] === cause.event_id));
  });
});

/** Clocks of a log by host and number. */
function parsed(log: string): { host: string; clock: Record<string, number>; text: string }[] {
  const lines = log.split("\n").slice(2, -1);
  return lines.flatMap((line, k) => {
    if (k % 2 === 0) return [];
    const cut = line.indexOf(" ");
    return [{ text: lines[k - 1]!, host: line.slice(0, cut), clock: JSON.parse(line.slice(cut + 1)) }];
  });
}

test("in a ShiViz log, one event's clock is within another's exactly if it happened before it", () => {
  let written = 0;
  withChance(40, (chance) => {
    const model = randomModel(chance, 1 + chance.below(80));
    const some = [...model.id.keys()].filter(() => chance.below(4) > 0);
    if (some.length === 0) return;
    const log = shivizLog(model, some)!;
    const shown = parsed(log);
    assert.equal(shown.length, some.length);
    shown.forEach((one, k) => {
      const cones = conesOf(model, some[k]!);
      shown.forEach((other, j) => {
        const within = j !== k && (one.clock[other.host] ?? 0) >= other.clock[other.host]!;
        assert.equal(within, sideOf(model, cones, some[j]!) === -1);
      });
    });
    leave(`random-${written++}.log`, log, shown.length);
  });
});

function leave(name: string, log: string, events: number): void {
  if (!process.env.DIAGRAM_LOGS) return;
  mkdirSync(process.env.DIAGRAM_LOGS, { recursive: true });
  writeFileSync(`${process.env.DIAGRAM_LOGS}/${events}-${name}`, log);
}

test("odd names of lanes make hosts that ShiViz takes", () => {
  const names = ["constructor", "__proto__", "a b", "a_b", "{x}", 'q"uo\\te', "\u202ebidi", "", "日本"];
  const graph = randomGraph(new Chance(3), 0, 1);
  graph.lanes = names.map((thread) => ({ service: null, instance: null, process: null, thread, row: 0 }));
  Object.assign(graph, { id: names, lane: names.map((_, l) => l), name: names.map((_, l) => l), names, kind: names.map(() => 1) });
  const log = shivizLog(readGraph(graph), [...names.keys()])!;
  assert.equal(new Set(parsed(log).map((one) => one.host)).size, names.length);
  leave("odd.log", log, names.length);
});

test("too many events are no log", () => {
  const model = randomModel(new Chance(4), LOG_EVENTS + 1, 4);
  assert.equal(shivizLog(model, [...model.id.keys()]), null);
  assert.notEqual(shivizLog(model, [...model.id.keys()].slice(0, 100)), null);
});

test("a file's name holds nothing but letters, digits, dots and dashes", () => {
  const model = readGraph({ ...randomGraph(new Chance(5), 1, 1), trace_id: "../a b/\u202ec" });
  assert.match(fileName(model, "json"), /^[\w.-]+\.json$/);
  assert.equal(fileName(readGraph({}), "png"), "trace.png");
});

test("two events in a sentence, and the events of their witness", () => {
  const model = readGraph({ ...randomGraph(new Chance(6), 3, 3), lane: [0, 1, 2], name: [1, 0, 0] });
  const say = (relation: Parameters<typeof sentence>[2]["relation"], a: string, b: string) => sentence(model, finderOf(model), { a, b, relation });
  assert.match(say("before", "e0", "e1"), /^“POST \/transfer on t0” happened before “.* on .*”\.$/);
  assert.match(say("concurrent", "e1", "e2"), /neither has seen the other/);
  assert.match(say("unknown", "e1", "gone"), /no clock and no link tells how .* and “gone” stand/);
  const long = Array.from({ length: 30 }, (_, k) => ({ event_id: `e${k}`, reason: "clock", kind: "k", service: "s", thread: "t", location: null }));
  assert.deepEqual(chainEvents(model, long), [0, 1, 2]);
});

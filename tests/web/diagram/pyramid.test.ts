// Rows and the pyramid above them: at every level the sums are the data's, and a row's marks stand for all its events.

import assert from "node:assert/strict";
import test from "node:test";
import { bucketOf, bucketsIn, levelFor, maskOf } from "../../../server/web/src/diagram/pyramid";
import { eachApart, nearest, placesIn } from "../../../server/web/src/diagram/rows";
import { eachBar, eachEvent, showsEvents } from "../../../server/web/src/diagram/marks";
import { AXES, randomHide, randomModel, sceneOf, withChance } from "./random";
import { randomView } from "./views";

test("rows hold every event once, from left to right; with a filter only those that pass", () => {
  withChance(60, (chance) => {
    const model = randomModel(chance);
    const only = chance.below(2) ? Uint8Array.from({ length: model.count }, () => chance.below(2)) : null;
    for (const name of AXES) {
      const { rows, layout, axis } = sceneOf(model, name, randomHide(chance, model), only);
      assert.deepEqual([...rows.events].sort((a, b) => a - b), [...model.id.keys()].filter((e) => !only || only[e]));
      layout.rows.forEach((_, r) => {
        for (let place = rows.from[r]!; place < rows.from[r + 1]!; place++) {
          assert.equal(layout.rowOf[model.lane[rows.events[place]!]!], r);
          assert.equal(rows.at[place], axis.at[rows.events[place]!]);
          if (place > rows.from[r]!) assert.ok(rows.at[place]! >= rows.at[place - 1]!);
        }
      });
    }
  });
});

test("at every level the counts, kinds, races and errors are those of the events", () => {
  withChance(40, (chance) => {
    const model = randomModel(chance, chance.below(300));
    const { rows, pyramid, axis } = sceneOf(model, chance.one(AXES), randomHide(chance, model));
    for (const level of pyramid.levels) {
      const wanted = new Map<string, [number, number]>();
      for (let r = 0; r + 1 < rows.from.length; r++) {
        for (let place = rows.from[r]!; place < rows.from[r + 1]!; place++) {
          const key = `${r} ${bucketOf(axis.extent, level.power, rows.at[place]!)}`;
          const [count, mask] = wanted.get(key) ?? [0, 0];
          wanted.set(key, [count + 1, mask | maskOf(model, rows.events[place]!)]);
        }
      }
      assert.equal(level.bucket.length, wanted.size);
      for (let r = 0; r + 1 < level.from.length; r++) {
        for (let k = level.from[r]!; k < level.from[r + 1]!; k++) {
          assert.deepEqual([level.count[k], level.mask[k]], wanted.get(`${r} ${level.bucket[k]}`));
          assert.equal(bucketOf(axis.extent, level.power, axis.at[level.first[k]!]!), level.bucket[k]);
          if (k > level.from[r]!) assert.ok(level.bucket[k]! > level.bucket[k - 1]!);
        }
      }
    }
    pyramid.levels.slice(1).forEach((level, k) => assert.equal(level.power, pyramid.levels[k]!.power - 1));
  });
});

test("the level of a zoom has buckets of at least two pixels, and the one below has not", () => {
  withChance(60, (chance) => {
    const model = randomModel(chance, 300);
    const { pyramid } = sceneOf(model, chance.one(AXES));
    const pixels = 10 ** (chance.real() * 6 - 3) / pyramid.extent * 1000;
    const level = levelFor(pyramid, pixels, 2);
    const wide = (power: number) => (pyramid.extent / 2 ** power) * pixels;
    if (!level) assert.ok(wide(pyramid.levels[0]!.power) >= 4);
    else if (level !== pyramid.levels[pyramid.levels.length - 1]) assert.ok(wide(level.power) >= 2 && wide(level.power) < 4);
    if (level) {
      const [first, end] = bucketsIn(pyramid, level, 0, 0, pyramid.extent);
      assert.deepEqual([first, end], [level.from[0], level.from[1]]);
    }
  });
});

test("the marks of a row stand for all its events in the window, in no more marks than there are pixels for", () => {
  withChance(80, (chance) => {
    const model = randomModel(chance, chance.below(2000), 1 + chance.below(4));
    const scene = sceneOf(model, chance.one(AXES), randomHide(chance, model));
    const view = randomView(chance, scene.axis);
    scene.layout.rows.forEach((_, r) => {
      const [first, end] = placesIn(scene.rows, r, view.from, view.to);
      let marks = 0;
      if (showsEvents(scene, view, r)) {
        const seen = new Set<number>();
        eachEvent(scene, view, r, (e) => seen.add(e));
        for (let place = first; place < end; place++) {
          const x = scene.rows.at[place]!;
          const close = [...seen].some((e) => Math.abs(scene.axis.at[e]! - x) <= (view.to - view.from) / view.width);
          assert.ok(close, "every event is within a pixel of one that is drawn");
        }
        marks = seen.size;
      } else {
        let sum = 0;
        eachBar(scene, view, r, (bar) => {
          sum += bar.count;
          marks++;
          assert.ok(bar.count > 0 && bar.mask !== 0 && bar.first >= 0);
        });
        assert.ok(sum >= end - first, "no event is left out");
      }
      assert.ok(marks <= view.width + 25);
    });
  });
});

test("the nearest place, and places apart from each other, by brute force", () => {
  withChance(60, (chance) => {
    const model = randomModel(chance);
    const { rows, axis, layout } = sceneOf(model, chance.one(AXES));
    layout.rows.forEach((_, r) => {
      const at = axis.extent * (chance.real() * 1.2 - 0.1);
      const its = [...rows.at.slice(rows.from[r], rows.from[r + 1])];
      const place = nearest(rows, r, at);
      if (its.length === 0) return assert.equal(place, -1);
      assert.equal(Math.abs(rows.at[place]! - at), Math.min(...its.map((x) => Math.abs(x - at))));
      const apart = axis.extent * chance.real() * 0.1;
      const told: number[] = [];
      eachApart(rows, r, 0, axis.extent, apart, (one) => told.push(rows.at[one]!));
      const wanted: number[] = [];
      for (const x of its) if (wanted.length === 0 || x >= wanted[wanted.length - 1]! + apart) wanted.push(x);
      if (apart > 0) assert.deepEqual(told, wanted);
    });
  });
});

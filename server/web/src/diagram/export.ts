// What is seen, to take along: a picture, JSON, a log for ShiViz.

import { type Model, nameOf, placeOf } from "./graph";
import { placesIn } from "./rows";
import type { Scene } from "./scene";
import type { View } from "./view";

/** The events in the window, in causal order; those of hidden lanes are not seen. */
export function eventsSeen(scene: Scene, view: View): number[] {
  const seen: number[] = [];
  scene.layout.rows.forEach((row, r) => {
    if (row.kind === "stub") return;
    const [first, end] = placesIn(scene.rows, r, view.from, view.to);
    for (let place = first; place < end; place++) seen.push(scene.rows.events[place]!);
  });
  return seen.sort((a, b) => a - b);
}

/** The events with the causes that are among them, as JSON text. */
export function jsonOf(model: Model, events: readonly number[]): string {
  const among = new Set(events);
  return JSON.stringify(
    {
      trace_id: model.traceId,
      events: events.map((e) => ({
        event_id: model.id[e],
        kind: model.kinds[model.kindOf[e]!] ?? null,
        name: nameOf(model, e),
        location: placeOf(model, e) || null,
        lane: model.lanes[model.lane[e]!],
        micros: model.t[e],
        causes: causesOf(model, e).filter((cause) => among.has(cause.event)).map((cause) => ({ event_id: model.id[cause.event], reason: cause.reason })),
      })),
    },
    null,
    1,
  );
}

function causesOf(model: Model, e: number): { event: number; reason: string | null }[] {
  const found = [];
  for (let k = model.causes.from[e]!; k < model.causes.from[e + 1]!; k++) {
    found.push({ event: model.causes.other[k]!, reason: model.reasons[model.causes.reason[k]!] ?? null });
  }
  return found;
}

/** The layers of the picture over each other, right of the labels. */
export function pictureOf(layers: readonly HTMLCanvasElement[], labels: { text: string; y: number; strong: boolean }[], left: number, colours: { surface: string; text: string }): HTMLCanvasElement {
  const [base] = layers;
  const ratio = base!.width / Math.max(1, base!.clientWidth);
  const picture = document.createElement("canvas");
  picture.width = base!.width + left * ratio;
  picture.height = base!.height;
  const paint = picture.getContext("2d")!;
  paint.fillStyle = colours.surface;
  paint.fillRect(0, 0, picture.width, picture.height);
  for (const layer of layers) paint.drawImage(layer, left * ratio, 0);
  paint.scale(ratio, ratio);
  paint.fillStyle = colours.text;
  paint.textBaseline = "middle";
  for (const { text, y, strong } of labels) {
    paint.font = `${strong ? "600 " : ""}12px system-ui, sans-serif`;
    paint.fillText(text, 12, y, left - 20);
  }
  return picture;
}

export function download(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** A trace's id as part of a file's name. */
export function fileName(model: Model, ending: string): string {
  return `${model.traceId.replace(/[^\w.-]+/g, "_").slice(0, 80) || "trace"}.${ending}`;
}

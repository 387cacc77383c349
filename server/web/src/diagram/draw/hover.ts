// The topmost canvas: what is under the pointer.

import type { View } from "../view";
import { drawPairs } from "./arrows";
import { ring } from "./highlight";
import { type Paint, type Picture, TOP, xOfEvent } from "./picture";

export function drawHover(paint: Paint, picture: Picture, view: View, event: number, edge: number): void {
  const { scene, palette } = picture;
  paint.clearRect(0, 0, view.width, view.height);
  paint.save();
  paint.beginPath();
  paint.rect(0, TOP, view.width, view.height - TOP);
  paint.clip();
  if (event >= 0) {
    const x = Math.round(xOfEvent(scene, view, event));
    paint.fillStyle = palette.accent;
    paint.globalAlpha = 0.25;
    paint.fillRect(x, TOP, 1, view.height - TOP);
    paint.globalAlpha = 1;
    ring(paint, picture, view, event, palette.accent);
  } else if (edge >= 0) {
    drawPairs(paint, scene, view, [[scene.edges.cause[edge]!, scene.edges.effect[edge]!]], palette.accent, 2.2);
  }
  paint.restore();
}

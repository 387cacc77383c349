// The lowest canvas: everything but what is selected or under the pointer.

import type { View } from "../view";
import { drawAxis, drawGrid } from "./axis";
import { type Drawn, drawArrows } from "./arrows";
import { drawEvents } from "./events";
import { drawLabels, drawMissing } from "./labels";
import { drawBands, drawLines } from "./lanes";
import { drawRaces } from "./races";
import { drawRegions } from "./regions";
import type { Paint, Picture } from "./picture";

export function drawBase(paint: Paint, picture: Picture, view: View): Drawn {
  drawBands(paint, picture, view);
  drawGrid(paint, picture, view);
  drawRegions(paint, picture, view);
  drawLines(paint, picture, view);
  const drawn = drawArrows(paint, picture, view);
  drawMissing(paint, picture, view);
  if (picture.find?.mode === "dim") {
    paint.globalAlpha = 0.22;
    drawEvents(paint, picture, view);
    paint.globalAlpha = 1;
    drawEvents(paint, { ...picture, scene: picture.find.some }, view);
  } else {
    drawEvents(paint, picture, view);
  }
  drawRaces(paint, picture, view);
  drawLabels(paint, picture, view);
  drawAxis(paint, picture, view);
  return drawn;
}

// What lies below the events: bands of headings, the lines of the lanes, stubs.

import { type View, xOf } from "../view";
import { type Paint, type Picture, TOP, rowHeight, rowMiddle, rowTop, rowsShown } from "./picture";

export function drawBands(paint: Paint, picture: Picture, view: View): void {
  const { scene, palette } = picture;
  paint.fillStyle = palette.surface;
  paint.fillRect(0, 0, view.width, view.height);
  const [first, end] = rowsShown(scene, view);
  for (let row = first; row < end; row++) {
    const { kind, depth } = scene.layout.rows[row]!;
    if (kind !== "heading") continue;
    const top = rowTop(scene, view, row);
    if (depth === 0) {
      paint.fillStyle = palette.band;
      paint.fillRect(0, top, view.width, rowHeight(scene, row));
    }
    paint.fillStyle = palette.rule;
    paint.fillRect(0, Math.round(top), view.width, 1);
  }
  const bottom = TOP + scene.layout.top[scene.layout.rows.length]! - view.scroll;
  paint.fillStyle = palette.rule;
  if (bottom < view.height) paint.fillRect(0, Math.round(bottom), view.width, 1);
}

/** A lane is drawn from its first event to its last; before and after it is a hint. */
export function drawLines(paint: Paint, picture: Picture, view: View): void {
  const { scene, palette } = picture;
  const { rows, layout } = scene;
  const [first, end] = rowsShown(scene, view);
  const lines = (style: string, tell: (row: number, y: number) => void) => {
    paint.fillStyle = style;
    for (let row = first; row < end; row++) {
      const { kind } = layout.rows[row]!;
      if (kind === "lane" || kind === "group") tell(row, Math.round(rowMiddle(scene, view, row)));
    }
  };
  lines(palette.faint, (_, y) => paint.fillRect(0, y, view.width, 1));
  lines(palette.life, (row, y) => {
    if (rows.from[row] === rows.from[row + 1]) return;
    const from = Math.max(-5, xOf(view, rows.at[rows.from[row]!]!));
    const to = Math.min(view.width + 5, xOf(view, rows.at[rows.from[row + 1]! - 1]!));
    if (to > from) paint.fillRect(from, y - 0.25, to - from, 1.5);
  });
  paint.setLineDash([2, 5]);
  paint.lineWidth = 1;
  paint.beginPath();
  for (let row = first; row < end; row++) {
    if (layout.rows[row]!.kind === "stub") line(paint, 0, view.width, Math.round(rowMiddle(scene, view, row)) + 0.5);
  }
  paint.strokeStyle = palette.life;
  paint.stroke();
  paint.setLineDash([]);
}

function line(paint: Paint, from: number, to: number, y: number): void {
  paint.moveTo(from, y);
  paint.lineTo(to, y);
}

// What the shapes mean.

import { memo } from "../base/react";
import { shape } from "./draw/shapes";
import { type Palette } from "./draw/palette";
import type { Model } from "./graph";
import { KIND_NAMES, Kind } from "./kinds";
import type { Paint } from "./draw/picture";

/** The shape as the text of an SVG path. */
function outline(kind: Kind, open: boolean): string {
  const parts: string[] = [];
  const pen = {
    moveTo: (x: number, y: number) => parts.push(`M${x} ${y}`),
    lineTo: (x: number, y: number) => parts.push(`L${x} ${y}`),
    closePath: () => parts.push("Z"),
    rect: (x: number, y: number, w: number, h: number) => parts.push(`M${x} ${y}h${w}v${h}h${-w}Z`),
    arc: (x: number, y: number, r: number) => parts.push(`M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`),
  };
  shape(pen as unknown as Paint, kind, open, 8, 8, 5.4);
  return parts.join("");
}

function Mark({ kind, open, palette }: { kind: Kind; open: boolean; palette: Palette }) {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
      <path d={outline(kind, open)} fill={open ? palette.surface : palette.fill[kind]} stroke={palette.ink[kind]} strokeWidth="1.4" strokeLinejoin="round" />
    </svg>
  );
}

const OPEN: Partial<Record<Kind, [string, string]>> = {
  [Kind.access]: ["write", "read"],
  [Kind.call]: ["call", "return"],
  [Kind.async]: ["spawn", "await"],
  [Kind.http]: ["request", "response"],
  [Kind.database]: ["query", "result"],
  [Kind.lock]: ["acquire", "release"],
};

/** The kinds that the trace has. */
export const Legend = memo(function Legend({ model, palette }: { model: Model; palette: Palette }) {
  const present = new Set<number>();
  for (let e = 0; e < model.count; e++) present.add(model.look[e]! * 2 + model.open[e]!);
  const kinds = [Kind.http, Kind.call, Kind.async, Kind.database, Kind.access, Kind.lock, Kind.error, Kind.other];
  return (
    <ul className="dg-legend" aria-label="Shapes">
      {kinds.flatMap((kind) => [0, 1].filter((open) => present.has(kind * 2 + open)).map((open) => (
        <li key={`${kind} ${open}`}><Mark kind={kind} open={open === 1} palette={palette} /> {OPEN[kind]?.[open] ?? KIND_NAMES[kind]}</li>
      )))}
      {model.races.length > 0 && (
        <li>
          <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6" fill="none" stroke={palette.race} strokeWidth="1.8" /></svg> race
        </li>
      )}
    </ul>
  );
});

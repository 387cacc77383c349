// What is under the pointer, in words. It has its state for itself: nothing else is rendered when the pointer moves.

import type { MutableRefObject } from "react";
import { useEffect, useState } from "../base/react";
import type { Pointed } from "./engine";
import { labelOf } from "./draw/labels";
import type { Scene } from "./scene";
import { plural } from "../base/format";
import { arrowDetails, detailsOf } from "./words";

export interface Tip {
  pointed: Pointed;
  x: number;
  y: number;
}

/** `show` is where the tooltip is told what it shows. */
export function Tooltip({ scene, show, width, height }: { scene: Scene; show: MutableRefObject<(tip: Tip | null) => void>; width: number; height: number }) {
  const [tip, setTip] = useState<Tip | null>(null);
  show.current = setTip;
  useEffect(() => setTip(null), [scene]); // what it was on is elsewhere now
  const said = tip && wordsOf(scene, tip.pointed);
  if (!said) return null;
  const { x, y, pointed } = tip;
  const left = x > width * 0.6;
  const up = y > height * 0.65;
  return (
    <div className={`dg-tip ${left ? "dg-tip-left" : ""} ${up ? "dg-tip-up" : ""}`} role="tooltip" style={{ transform: `translate(${x + (left ? -14 : 14)}px, ${y + (up ? -14 : 16)}px)` }}>
      <div>
        <strong><bdi>{said.title}</bdi></strong>
        {said.lines.map((line, k) => <span key={k}><bdi>{line}</bdi></span>)}
        {pointed.count > 1 && <span className="dg-detail">{plural(pointed.count, "event")} here; zoom in to tell them apart</span>}
      </div>
    </div>
  );
}

function wordsOf(scene: Scene, { event, edge }: Pointed): { title: string; lines: string[] } | null {
  if (event >= 0 && event < scene.model.count) return { title: labelOf(scene.model, event), lines: detailsOf(scene.model, event) };
  return edge >= 0 && edge < scene.edges.left.length ? arrowDetails(scene, edge) : null;
}

// What is under the pointer, in words.

import type { Pointed } from "./engine";
import { labelOf } from "./draw/labels";
import type { Scene } from "./scene";
import { several } from "./text";
import { arrowDetails, detailsOf } from "./words";

export function Tooltip({ scene, pointed, x, y, width, height }: { scene: Scene; pointed: Pointed; x: number; y: number; width: number; height: number }) {
  const said = pointed.event >= 0
    ? { title: labelOf(scene.model, pointed.event), lines: detailsOf(scene.model, pointed.event) }
    : pointed.edge >= 0 ? arrowDetails(scene, pointed.edge) : null;
  if (!said) return null;
  const left = x > width * 0.6;
  const up = y > height * 0.65;
  return (
    <div className={`dg-tip ${left ? "dg-tip-left" : ""} ${up ? "dg-tip-up" : ""}`} role="tooltip" style={{ transform: `translate(${x + (left ? -14 : 14)}px, ${y + (up ? -14 : 16)}px)` }}>
      <div>
        <strong><bdi>{said.title}</bdi></strong>
        {said.lines.map((line, k) => <span key={k}><bdi>{line}</bdi></span>)}
        {pointed.count > 1 && <span className="dg-detail">{several(pointed.count, "event")} here; zoom in to tell them apart</span>}
      </div>
    </div>
  );
}

// Taking along what is seen: the button's side of export.ts.

import type { RefObject } from "react";
import { TOP } from "./draw/picture";
import type { Engine } from "./engine";
import { download, eventsSeen, fileName, jsonOf, pictureOf } from "./export";
import { middleOf, rowsIn } from "./lanes";
import { LOG_EVENTS, shivizLog } from "./shiviz";
import { plural } from "../base/format";
import type { Shown } from "./use_scene";

const LABELS = 180; // pixels left of the picture

export function saver(engine: RefObject<Engine | null>, latest: { current: { shown: Shown } }, say: (text: string) => void) {
  const png = (shown: Shown) => {
    const { view } = engine.current!;
    const { layout } = shown.picture.scene;
    const [first, end] = rowsIn(layout, view.scroll, view.scroll + view.height - TOP);
    const labels = layout.rows.slice(first, end).map((row, k) => ({
      text: row.kind === "stub" ? `${plural(row.lanes.length, "lane")} hidden` : `${row.label} ${row.detail}`.trim(),
      y: TOP + middleOf(layout, first + k) - view.scroll,
      strong: row.kind === "heading",
    }));
    const picture = pictureOf(engine.current!.layers(), labels, LABELS, shown.picture.palette);
    picture.toBlob((blob) => blob && download(fileName(shown.model, "png"), blob));
    say("The picture is saved.");
  };
  const text = (shown: Shown, content: string | null, ending: string, type: string) => {
    if (content === null) return say(`Too many events for ShiViz: zoom in to at most ${plural(LOG_EVENTS, "event")}.`);
    download(fileName(shown.model, ending), new Blob([content], { type }));
    say(`Saved ${fileName(shown.model, ending)}.`);
  };
  const link = async () => {
    try {
      await navigator.clipboard.writeText(window.location.href);
      say("The link is copied.");
    } catch {
      say("The link could not be copied; it is in the address bar.");
    }
  };
  return (what: "png" | "json" | "shiviz" | "link") => {
    const { shown } = latest.current;
    const seen = () => eventsSeen(shown.picture.scene, engine.current!.view);
    if (what === "png") png(shown);
    else if (what === "json") text(shown, jsonOf(shown.model, seen()), "json", "application/json");
    else if (what === "shiviz") text(shown, shivizLog(shown.model, seen()), "shiviz.log", "text/plain");
    else void link();
  };
}

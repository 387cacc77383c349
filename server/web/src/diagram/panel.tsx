// Below the picture: the selected event with its counts, what it knew, and how two events stand to each other.

import type { Actor } from "./actions";
import { labelOf } from "./draw/labels";
import { type Drawn } from "./draw/arrows";
import { Legend } from "./legend";
import { count, plural } from "../base/format";
import { KeyButton } from "./toolbar";
import type { DiagramState } from "./types";
import type { Shown } from "./use_scene";
import { detailsOf, knowledge } from "./words";

interface Props {
  shown: Shown;
  state: DiagramState;
  act: Actor["act"];
  sentence: string | null;
  drawn: Drawn | null;
  notice: string | null;
}

export function Panel({ shown, state, act, sentence, drawn, notice }: Props) {
  const { model, picture } = shown;
  const { sel, cones } = picture;
  return (
    <div className="dg-panel">
      {sel >= 0 && cones ? (
        <>
          <div className="dg-selected">
            <strong><bdi>{labelOf(model, sel)}</bdi></strong>
            <span className="dg-detail"><bdi>{detailsOf(model, sel).join(" · ")}</bdi></span>
            <span className="dg-steps">
              <KeyButton action="left" act={act}>←</KeyButton>
              <KeyButton action="right" act={act}>→</KeyButton>
              <KeyButton action="up" act={act}>↑</KeyButton>
              <KeyButton action="down" act={act}>↓</KeyButton>
              <KeyButton action="firstCause" act={act} disabled={model.causes.from[sel] === model.causes.from[sel + 1]}>Cause</KeyButton>
              <KeyButton action="firstEffect" act={act} disabled={model.effects.from[sel] === model.effects.from[sel + 1]}>Effect</KeyButton>
              <KeyButton action="fitSelection" act={act}>Zoom to it</KeyButton>
              <KeyButton action="mark" act={act} pressed={state.marks.includes(model.id[sel]!)}>Mark</KeyButton>
              <KeyButton action="back" act={act}>✕</KeyButton>
            </span>
          </div>
          <p className="dg-line">
            <span className="dg-chip dg-past">Before {count(cones.before)}</span>
            <span className="dg-chip dg-concurrent">Concurrent {count(cones.concurrent)}</span>
            <span className="dg-chip dg-future">After {count(cones.after)}</span>
            <span className="dg-detail"><bdi>{knowledge(model, cones)}</bdi></span>
          </p>
        </>
      ) : (
        <>
          <Legend model={model} palette={picture.palette} />
          {model.count > 0 && <p className="dg-line dg-detail">Click an event to see what it knew and who could know of it. Ctrl and the wheel zoom, dragging moves.</p>}
        </>
      )}
      {sentence && <p className="dg-relation"><bdi>{sentence}</bdi></p>}
      <p className="dg-note">{[...(notice ? [notice] : []), ...notes(shown, drawn)].join(" · ")}</p>
    </div>
  );
}

/** What the picture does not show, so that nothing vanishes silently. */
function notes({ model, found, arrangement, picture }: Shown, drawn: Drawn | null): string[] {
  const said = [plural(model.count, "event"), plural(model.lanes.length, "lane")];
  if (model.count < model.total) said[0] = `the first ${count(model.count)} of ${count(model.total)} events`;
  const folds = picture.scene.axis.folds.from.length;
  if (folds > 0) said.push(`${plural(folds, "long gap")} folded`);
  if (found && arrangement.find === "filter") said.push(`only ${plural(found.count, "match", "matches")} shown`);
  if (drawn && drawn.bundles > 0) {
    const part = drawn.shown < drawn.bundles ? `the thickest ${count(drawn.shown)} of ${plural(drawn.bundles, "bundle")}` : plural(drawn.bundles, "bundle");
    said.push(`${plural(drawn.arrows, "arrow")} in view, drawn as ${part}`);
  }
  if (model.races.length < model.racePairs) said.push(`the first ${count(model.races.length)} of ${plural(model.racePairs, "race")}`);
  if (model.leftOut > 0) said.push(`${plural(model.leftOut, "link")} left out that name no event or go backwards`);
  return said;
}

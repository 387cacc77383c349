// The buttons above the picture. Each says its key.

import type { ReactNode, RefObject } from "react";
import { useMemo, useState } from "../base/react";
import type { Arrangement, FindMode } from "./arrangement";
import { numberOf } from "./find";
import { type Action, keyOf } from "./keys";
import { count, plural } from "../base/format";
import type { DiagramState } from "./types";
import type { Shown } from "./use_scene";

interface Props {
  shown: Shown;
  state: DiagramState;
  act(action: Action): void;
  arrange(next: Partial<Arrangement>): void;
  change(next: Partial<DiagramState>): void;
  save(what: "png" | "json" | "shiviz" | "link"): void;
  findField: RefObject<HTMLInputElement>;
}

export function KeyButton({ action, act, children, pressed, disabled, className }: {
  action: Action; act(action: Action): void; children: ReactNode; pressed?: boolean; disabled?: boolean; className?: string;
}) {
  const { says, shown } = keyOf(action);
  return (
    <button type="button" className={`dg-button ${className ?? ""}`} title={`${says} (${shown})`} aria-label={says}
      aria-keyshortcuts={shown} aria-pressed={pressed} disabled={disabled} onClick={() => act(action)}>
      {children}
    </button>
  );
}

export function Toolbar(props: Props) {
  const { shown, state, act } = props;
  const cone = (name: "past" | "future" | "concurrent") => ({
    act, pressed: state.cone.includes(name), className: `dg-cone dg-${name}`,
  });
  const toCausal = state.axis === "causal";
  return (
    <div className="dg-bar" role="toolbar" aria-label="Diagram">
      <div className="dg-group" role="group" aria-label="Axis">
        <button type="button" className="dg-button" aria-pressed={toCausal} title="By what happened before what (T)" onClick={() => toCausal || act("axis")}>Causal</button>
        <button type="button" className="dg-button" aria-pressed={!toCausal} title="By timestamps, long gaps folded (T)" onClick={() => toCausal && act("axis")}>Time</button>
      </div>
      <div className="dg-group" role="group" aria-label="Shade">
        <KeyButton action="past" {...cone("past")}>Past</KeyButton>
        <KeyButton action="concurrent" {...cone("concurrent")}>Concurrent</KeyButton>
        <KeyButton action="future" {...cone("future")}>Future</KeyButton>
      </div>
      {shown.model.racePairs > 0 && (
        <div className="dg-group" role="group" aria-label="Races">
          <KeyButton action="previousRace" act={act}>‹</KeyButton>
          <KeyButton action="nextRace" act={act} className="dg-race">{plural(shown.model.racePairs, "race")} ›</KeyButton>
        </div>
      )}
      <div className="dg-group" role="group" aria-label="Zoom">
        <KeyButton action="panLeft" act={act}>←</KeyButton>
        <KeyButton action="zoomOut" act={act}>−</KeyButton>
        <KeyButton action="fitAll" act={act}>All</KeyButton>
        <KeyButton action="zoomIn" act={act}>+</KeyButton>
        <KeyButton action="panRight" act={act}>→</KeyButton>
      </div>
      <Find {...props} />
      <More {...props} />
    </div>
  );
}

const NEXT_MODE: Record<FindMode, FindMode> = { highlight: "dim", dim: "filter", filter: "highlight" };

function Find({ shown, state, act, change, arrange, findField }: Props) {
  const { found, picture, arrangement } = shown;
  const { order } = picture.scene.axis;
  const number = useMemo(() => (found ? numberOf(order, found.matches, picture.sel) : 0), [order, found, picture.sel]);
  return (
    <div className="dg-find" role="search">
      <input ref={findField} type="search" className="dg-field" placeholder="Find  /" aria-label="Find events by name, kind, place or lane" value={state.q}
        onChange={(event) => change({ q: event.target.value })}
        onKeyDown={(event) => {
          if (event.key === "Enter") act(event.shiftKey ? "previousMatch" : "nextMatch");
          if (event.key === "Escape") event.currentTarget.blur();
        }} />
      {found && (
        <>
          <span className="dg-count" aria-live="polite">{number > 0 ? `${count(number)} of ${count(found.count)}` : plural(found.count, "match", "matches")}</span>
          <KeyButton action="previousMatch" act={act} disabled={found.count === 0}>‹</KeyButton>
          <KeyButton action="nextMatch" act={act} disabled={found.count === 0}>›</KeyButton>
          <button type="button" className="dg-button" title="What becomes of the rest: matches are highlighted, the others dimmed, or hidden"
            onClick={() => arrange({ find: NEXT_MODE[arrangement.find] })}>{arrangement.find}</button>
        </>
      )}
    </div>
  );
}

function More({ shown, arrange, save }: Props) {
  const [open, setOpen] = useState(false);
  const { arrangement } = shown;
  const changed = arrangement.hidden.size + arrangement.collapsed.size + arrangement.pinned.length + arrangement.moved.length > 0 || arrangement.near;
  const item = (text: string, run: () => void) => (
    <button type="button" role="menuitem" className="dg-item" onClick={() => { setOpen(false); run(); }}>{text}</button>
  );
  const services = shown.roots.map((root) => root.key);
  return (
    <div className="dg-more" onBlur={(event) => event.currentTarget.contains(event.relatedTarget) || setOpen(false)}
      onKeyDown={(event) => { if (event.key === "Escape" && open) { setOpen(false); event.stopPropagation(); } }}>
      <button type="button" className="dg-button" aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen(!open)}>Lanes, export ▾</button>
      {open && (
        <div className="dg-menu" role="menu">
          {item(arrangement.near ? "Lanes in the order of the trace" : "Order lanes so that arrows are short", () => arrange({ near: !arrangement.near }))}
          {item("Collapse every service", () => arrange({ collapsed: new Set(services) }))}
          {changed && item("Lanes as they were", () => arrange({ hidden: new Set(), collapsed: new Set(), pinned: [], moved: [], near: false }))}
          <hr />
          {item("Copy a link to this picture", () => save("link"))}
          {item("Save as PNG", () => save("png"))}
          {item("Save what is seen as JSON", () => save("json"))}
          {item("Save what is seen for ShiViz", () => save("shiviz"))}
        </div>
      )}
    </div>
  );
}

// The space-time diagram of a trace: lanes, events, what happened before what.

import type { KeyboardEvent } from "react";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../base/react";
import { type Surroundings, actorOf } from "./actions";
import { positionOf, valueAt } from "./axis";
import type { Drawn } from "./draw/arrows";
import { TOP } from "./draw/picture";
import { Engine } from "./engine";
import { actionOf, typing } from "./keys";
import { Labels } from "./labels";
import { Panel } from "./panel";
import { saver } from "./save";
import { plural } from "../base/format";
import { Toolbar } from "./toolbar";
import { type Tip, Tooltip } from "./tooltip";
import type { DiagramProps, DiagramState } from "./types";
import { useOverview, usePointer, type Pointing } from "./use_pointer";
import { useRelation } from "./use_relation";
import { useScene } from "./use_scene";
import { spoken } from "./words";
import "./diagram.css";

export type { Graph } from "./graph";
export type { AxisName, ChainStep, ConeName, DiagramProps, DiagramState, Relation } from "./types";

const SETTLED = 180; // milliseconds without movement until the window is told

export function Diagram(props: DiagramProps) {
  const { state, onState, announce, theme } = props;
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [scroll, setScroll] = useState(0);
  const [drawn, setDrawn] = useState<Drawn | null>(null);
  const [notice, setNotice] = useState<string | null>(null);
  const [chains, setChains] = useState<readonly (readonly number[])[]>([]);
  const shown = useScene(props, size.height, chains);
  const { model, picture } = shown;
  const sentence = useRelation(props, shown, setChains);

  const engine = useRef<Engine | null>(null);
  const base = useRef<HTMLCanvasElement>(null);
  const highlight = useRef<HTMLCanvasElement>(null);
  const hover = useRef<HTMLCanvasElement>(null);
  const overview = useRef<HTMLCanvasElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const findField = useRef<HTMLInputElement>(null);
  const showTip = useRef<(tip: Tip | null) => void>(() => undefined);
  const told = useRef<{ x0: number | null; x1: number | null }>({ x0: null, x1: null }); // the last window that we told, or were told
  const latest = useRef({ shown, onState });
  latest.current = { shown, onState };

  useLayoutEffect(() => {
    let waiting = 0;
    const canvases = { base: base.current!, highlight: highlight.current!, hover: hover.current!, overview: overview.current! };
    const made = new Engine(canvases, {
      moved: (from, to) => {
        window.clearTimeout(waiting);
        waiting = window.setTimeout(() => {
          const { axis } = latest.current.shown.picture.scene;
          told.current = { x0: from === null ? null : valueAt(axis, from), x1: to === null ? null : valueAt(axis, to) };
          latest.current.onState(told.current);
        }, SETTLED);
      },
      drawn: (now) => setDrawn((before) => (before && before.bundles === now.bundles && before.shown === now.shown && (now.bundles === 0 || before.arrows === now.arrows) ? before : now)),
    });
    engine.current = made;
    return () => {
      window.clearTimeout(waiting);
      made.destroy();
    };
  }, []);

  useLayoutEffect(() => {
    const measure = () => {
      const { clientWidth, clientHeight } = stage.current!;
      engine.current!.resize(clientWidth, clientHeight);
      setSize({ width: clientWidth, height: clientHeight });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(stage.current!);
    return () => observer.disconnect();
  }, []);

  useLayoutEffect(() => engine.current!.show(picture), [picture]);
  useLayoutEffect(() => {
    const { axis } = picture.scene;
    const { x0, x1 } = state;
    if (x0 === told.current.x0 && x1 === told.current.x1) return;
    told.current = { x0, x1 };
    engine.current!.place(x0 === null ? null : positionOf(axis, x0), x1 === null ? null : positionOf(axis, x1));
  }, [state.x0, state.x1, picture.scene.axis]);
  useEffect(() => {
    if (picture.cones) announce(spoken(model, picture.cones.event, picture.cones));
  }, [picture.cones, model, announce]);

  const rowsHeight = TOP + picture.scene.layout.top[picture.scene.layout.rows.length]!;
  const reveal = useCallback((events: readonly number[], fit?: boolean) => {
    if (events.length === 0) return;
    engine.current!.reveal(events, fit);
    intoView(scroller.current!, events.map((e) => engine.current!.whereIs(e).y));
  }, []);
  const change = useCallback((next: Partial<DiagramState>) => onState(next), [onState]);
  const surroundings: Surroundings = {
    get engine() {
      return engine.current!;
    },
    shown, state, change, reveal,
    focusFind: () => findField.current!.focus(),
  };
  const actor = actorOf(surroundings);
  const pointing = useRef<Pointing>(null!);
  pointing.current = {
    select: (e) => change({ sel: e < 0 ? null : model.id[e]! }),
    hover: (pointed, x, y) => showTip.current(pointed && { pointed, x, y }),
  };
  usePointer(engine, hover, scroller, pointing);
  useOverview(engine, overview);
  const say = useCallback((text: string) => {
    announce(text);
    setNotice(text);
  }, [announce]);
  useEffect(() => setNotice(null), [picture]);
  const save = useMemo(() => saver(engine, latest, say), [say]);

  const pressed = (event: KeyboardEvent) => {
    const action = typing(event.target) ? null : actionOf(event);
    const onCanvas = event.target === hover.current;
    if (!action || event.defaultPrevented || (event.key.startsWith("Arrow") && !onCanvas)) return;
    event.preventDefault();
    actor.act(action);
  };
  return (
    <section className="dg" data-theme={theme} aria-label="Space-time diagram" onKeyDown={pressed}>
      <Toolbar shown={shown} state={state} act={actor.act} arrange={actor.arrange} change={change} save={save} findField={findField} />
      <div className="dg-strip">
        <div className="dg-corner">{plural(model.count, "event")}</div>
        <canvas ref={overview} className="dg-overview" style={{ width: size.width }} aria-hidden="true" />
      </div>
      <div className="dg-scroll" ref={scroller} onScroll={(event) => {
        engine.current!.scroll(event.currentTarget.scrollTop);
        setScroll(event.currentTarget.scrollTop);
        showTip.current(null);
      }}>
        <div className="dg-stick">
          <Labels layout={picture.scene.layout} roots={shown.roots} arrangement={shown.arrangement} scroll={scroll} height={size.height}
            selected={picture.sel < 0 ? -1 : picture.scene.layout.rowOf[model.lane[picture.sel]!]!} arrange={actor.arrange} />
          <div className="dg-stage" ref={stage}>
            <canvas ref={base} aria-hidden="true" />
            <canvas ref={highlight} aria-hidden="true" />
            <canvas ref={hover} className="dg-top" tabIndex={0} role="application" aria-roledescription="space-time diagram"
              aria-label={`${plural(model.count, "event")} on ${plural(model.lanes.length, "lane")}. Arrow keys go from event to event; the Events tab has them as a table.`} />
            <Tooltip scene={picture.scene} show={showTip} width={size.width} height={size.height} />
            {model.count === 0 && <p className="dg-empty">No events.</p>}
          </div>
        </div>
        <div style={{ height: Math.max(0, rowsHeight - size.height) }} />
      </div>
      <Panel shown={shown} state={state} act={actor.act} sentence={sentence} drawn={drawn} notice={notice} />
    </section>
  );
}

/** Scrolls so that these heights, from the top of what is seen, are seen. */
function intoView(box: HTMLElement, heights: readonly number[]): void {
  const [least, most] = [Math.min(...heights), Math.max(...heights)];
  const room = 30;
  if (least < TOP + room) box.scrollTop += least - TOP - room;
  else if (most > box.clientHeight - room) box.scrollTop += Math.min(most - box.clientHeight + room, least - TOP - room);
}

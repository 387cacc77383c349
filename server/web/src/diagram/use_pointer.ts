// Mouse, pen and finger on the canvas and on the overview.

import type { RefObject } from "react";
import { useEffect } from "../base/react";
import type { Engine, Pointed } from "./engine";

export interface Pointing {
  select(e: number): void;
  hover(pointed: Pointed | null, x: number, y: number): void;
}

const STILL = 4; // pixels within which a press is a click

/** Drag to move, wheel with Ctrl to zoom, with Shift or sideways to move, click to select, double click to zoom in. */
export function usePointer(engine: RefObject<Engine | null>, canvas: RefObject<HTMLElement>, scroller: RefObject<HTMLElement>, pointing: RefObject<Pointing>): void {
  useEffect(() => {
    const on = canvas.current!;
    let last: { x: number; y: number } | null = null;
    let moved = 0;
    const place = (event: MouseEvent) => {
      const box = on.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    const listeners: { [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void } = {
      pointerdown: (event) => {
        if (event.button !== 0) return;
        last = place(event);
        moved = 0;
        on.setPointerCapture(event.pointerId);
      },
      pointermove: (event) => {
        const { x, y } = place(event);
        if (!last) return pointing.current!.hover(engine.current!.point(x, y), x, y);
        moved += Math.abs(x - last.x) + Math.abs(y - last.y);
        if (moved > STILL) {
          pointing.current!.hover(null, x, y);
          engine.current!.pan(last.x - x);
          scroller.current!.scrollTop += last.y - y;
          on.classList.add("dg-moving");
        }
        last = { x, y };
      },
      pointerup: (event) => {
        on.classList.remove("dg-moving");
        const { x, y } = place(event);
        if (last && moved <= STILL) pointing.current!.select(engine.current!.point(x, y).event);
        last = null;
      },
      pointercancel: () => (last = null),
      pointerleave: () => {
        engine.current!.unpoint();
        pointing.current!.hover(null, 0, 0);
      },
      dblclick: (event) => engine.current!.zoom(2.5, place(event).x),
    };
    const wheel = (event: WheelEvent) => {
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        engine.current!.zoom(Math.exp(-event.deltaY * lines * 0.004), place(event).x);
      } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        engine.current!.pan((event.deltaX || event.deltaY) * lines);
      }
    };
    for (const [name, listener] of Object.entries(listeners)) on.addEventListener(name, listener as EventListener);
    on.addEventListener("wheel", wheel, { passive: false });
    return () => {
      for (const [name, listener] of Object.entries(listeners)) on.removeEventListener(name, listener as EventListener);
      on.removeEventListener("wheel", wheel);
    };
  }, [engine, canvas, scroller, pointing]);
}

const GRIP = 7; // pixels around an edge of the window

/** On the overview: the window's edges and the window can be dragged, elsewhere it goes to the pointer. */
export function useOverview(engine: RefObject<Engine | null>, strip: RefObject<HTMLElement>): void {
  useEffect(() => {
    const on = strip.current!;
    let held: { part: "from" | "to" | "both"; offset: number } | null = null;
    const at = (event: PointerEvent) => engine.current!.stripAt(event.clientX - on.getBoundingClientRect().left);
    const down = (event: PointerEvent) => {
      const { view } = engine.current!;
      const here = at(event);
      const grip = at({ clientX: event.clientX + GRIP } as PointerEvent) - here;
      const whole = view.to - view.from;
      if (Math.abs(here - view.from) < grip && whole > 2 * grip) held = { part: "from", offset: 0 };
      else if (Math.abs(here - view.to) < grip && whole > 2 * grip) held = { part: "to", offset: 0 };
      else if (here > view.from && here < view.to) held = { part: "both", offset: here - view.from };
      else held = { part: "both", offset: whole / 2 };
      on.setPointerCapture(event.pointerId);
      move(event);
    };
    const move = (event: PointerEvent) => {
      if (!held) return;
      const { view, moveTo } = { view: engine.current!.view, moveTo: (a: number, b: number) => engine.current!.moveTo(a, b) };
      const here = at(event);
      if (held.part === "both") moveTo(here - held.offset, here - held.offset + view.to - view.from);
      else if (held.part === "from" && here < view.to) moveTo(here, view.to);
      else if (held.part === "to" && here > view.from) moveTo(view.from, here);
    };
    const up = () => (held = null);
    on.addEventListener("pointerdown", down);
    on.addEventListener("pointermove", move);
    on.addEventListener("pointerup", up);
    on.addEventListener("pointercancel", up);
    return () => {
      on.removeEventListener("pointerdown", down);
      on.removeEventListener("pointermove", move);
      on.removeEventListener("pointerup", up);
      on.removeEventListener("pointercancel", up);
    };
  }, [engine, strip]);
}

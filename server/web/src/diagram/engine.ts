// The canvases: when they are drawn, and the window that they show. A frame is drawn only when something has changed, and
// only the layers that it changed.

import { type Drawn, prepareArrows } from "./draw/arrows";
import { drawBase } from "./draw/base";
import { drawHighlight } from "./draw/highlight";
import { drawHover } from "./draw/hover";
import { STRIP, drawOverview, stripView } from "./draw/overview";
import { type Paint, type Picture, TOP, yOf } from "./draw/picture";
import { type Hit, edgeAt, hitAt } from "./hit";
import { type Size, type View, around, atOf, kept, panned, whole, xOf, zoomed } from "./view";

export interface Canvases {
  base: HTMLCanvasElement;
  highlight: HTMLCanvasElement;
  hover: HTMLCanvasElement;
  overview: HTMLCanvasElement;
}

export interface Listener {
  moved(from: number | null, to: number | null): void; // the window, in positions; null: everything
  drawn(drawn: Drawn): void;
}

export interface Pointed {
  event: number; // -1: none
  edge: number; // of the scene's edges; -1: none
  count: number; // events at the pointer
}

const NOTHING: Pointed = { event: -1, edge: -1, count: 0 };
const SHARPEST = 2; // device pixels a pixel; more costs much and shows nothing
const FRAME = "raceway diagram frame";

export class Engine {
  readonly view: View = { from: 0, to: 1, width: 1, height: 1, scroll: 0 };
  private picture: Picture | null = null;
  private dirty = { base: true, highlight: true, hover: true, overview: true };
  private frame = 0;
  private idle = 0;
  private pointed: Pointed = NOTHING;
  private drawn: Drawn = { edges: [], arrows: 0, bundles: 0, shown: 0 };
  private all = true; // the window shows everything, also when its size changes

  constructor(
    private readonly canvases: Canvases,
    private readonly listener: Listener,
  ) {}

  destroy(): void {
    cancelAnimationFrame(this.frame);
    cancelIdleCallback(this.idle);
  }

  /** Another picture; the window stays where it is unless the axis has become another. */
  show(picture: Picture): void {
    const before = this.picture;
    this.picture = picture;
    if (before?.scene.axis !== picture.scene.axis && this.all) this.place(null, null);
    const base = before?.scene !== picture.scene || before.palette !== picture.palette || before.cones !== picture.cones ||
      before.shaded !== picture.shaded || before.find !== picture.find || before.marks !== picture.marks || before.sel !== picture.sel;
    if (base) this.pointed = before?.scene === picture.scene ? this.pointed : NOTHING;
    this.ask(base ? { base, overview: before?.scene !== picture.scene || before.palette !== picture.palette } : {});
  }

  resize(width: number, height: number): void {
    if (width === this.view.width && height === this.view.height) return;
    this.view.width = Math.max(1, width);
    this.view.height = Math.max(1, height);
    if (this.all) this.place(null, null);
    this.ask({ base: true, overview: true });
  }

  scroll(top: number): void {
    if (top === this.view.scroll) return;
    this.view.scroll = top;
    this.ask({ base: true });
  }

  /** What the address says, without telling it again. */
  place(from: number | null, to: number | null): void {
    const axis = this.axis();
    this.all = from === null || to === null;
    Object.assign(this.view, from === null || to === null ? whole(axis, this.view.width) : kept(from, to, axis, this.view.width));
    this.ask({ base: true, overview: true });
  }

  zoom(factor: number, x = this.view.width / 2): void {
    this.move(zoomed(this.view, factor, x, this.axis()));
  }

  pan(pixels: number): void {
    this.move(panned(this.view, pixels, this.axis()));
  }

  fitAll(): void {
    this.place(null, null);
    this.listener.moved(null, null);
  }

  /** So that these events are seen; nothing moves where they are already. */
  reveal(events: readonly number[], fit = false): void {
    if (!this.picture || events.length === 0) return;
    const at = events.map((e) => this.picture!.scene.axis.at[e]!);
    const [least, most] = [Math.min(...at), Math.max(...at)];
    const { extent, roomiest } = this.axis();
    const room = Math.max((most - least) * 0.35, Math.min(this.view.width / roomiest / 2, extent / 2), extent * 0.01);
    this.move(fit ? kept(least - room, most + room, this.axis(), this.view.width) : around(this.view, least, most, this.axis()));
  }

  /** Where an event is, from the top left of the canvas; the top is below the axis. */
  whereIs(e: number): { x: number; y: number } {
    const { scene } = this.picture!;
    return { x: xOf(this.view, scene.axis.at[e]!), y: yOf(scene, this.view, e) };
  }

  at(x: number, y: number): Hit | null {
    return this.picture && y >= TOP ? hitAt(this.picture.scene, this.view, x, y - TOP) : null;
  }

  /** What the pointer is on, which the topmost canvas shows from now on. */
  point(x: number, y: number): Pointed {
    const hit = this.at(x, y);
    const event = hit?.event ?? -1;
    const edge = event < 0 && this.picture && y >= TOP ? edgeAt(this.picture.scene, this.view, this.drawn.edges, x, y - TOP) : -1;
    return this.pointAt({ event, edge, count: hit?.count ?? 0 });
  }

  unpoint(): void {
    this.pointAt(NOTHING);
  }

  private pointAt(now: Pointed): Pointed {
    const changed = now.event !== this.pointed.event || now.edge !== this.pointed.edge;
    this.pointed = now;
    if (changed) this.ask({ hover: true });
    return now;
  }

  /** A pixel of the overview as a position. */
  stripAt(x: number): number {
    return atOf(stripView(this.axis(), this.view.width), x);
  }

  /** The window's middle, or both its ends, to positions. */
  moveTo(from: number, to: number): void {
    this.move(kept(from, to, this.axis(), this.view.width));
  }

  layers(): HTMLCanvasElement[] {
    this.draw();
    return [this.canvases.base, this.canvases.highlight];
  }

  private axis(): Size {
    return this.picture?.scene.axis ?? { extent: 1, roomiest: 1 };
  }

  private move(window: { from: number; to: number }): void {
    const everything = whole(this.axis(), this.view.width);
    if (window.from === this.view.from && window.to === this.view.to) return;
    Object.assign(this.view, window);
    this.all = window.to - window.from >= (everything.to - everything.from) * 0.9999;
    this.listener.moved(this.all ? null : window.from, this.all ? null : window.to);
    this.ask({ base: true, overview: true });
  }

  private ask(what: Partial<Engine["dirty"]>): void {
    this.dirty.base ||= what.base ?? false;
    this.dirty.overview ||= what.overview ?? false;
    this.dirty.hover ||= (what.hover ?? false) || this.dirty.base;
    this.dirty.highlight ||= !what.hover;
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const { picture, view, dirty } = this;
    if (!picture || view.width <= 1) return;
    const start = performance.now();
    const { base, highlight, hover, overview } = this.canvases;
    if (dirty.base) this.drawn = drawBase(fresh(base, view.width, view.height), picture, view);
    if (dirty.highlight) drawHighlight(fresh(highlight, view.width, view.height), picture, view);
    if (dirty.hover) drawHover(fresh(hover, view.width, view.height), picture, view, this.pointed.event, this.pointed.edge);
    if (dirty.overview) drawOverview(fresh(overview, view.width, STRIP), picture, view);
    const told = dirty.base;
    this.dirty = { base: false, highlight: false, hover: false, overview: false };
    // For whoever observes; kept no longer than that.
    performance.measure(FRAME, { start, end: performance.now() });
    performance.clearMeasures(FRAME);
    if (told) this.listener.drawn(this.drawn);
    this.idle ||= requestIdleCallback(() => this.prepare());
  }

  /** While nothing is to be drawn. The finest bundles may be there only now: they replace those that stood in for them. */
  private prepare(): void {
    this.idle = 0;
    if (!this.picture || !prepareArrows(this.picture.scene, this.view)) return;
    if (this.drawn.bundles > 0) this.ask({ base: true });
    else this.idle = requestIdleCallback(() => this.prepare());
  }
}

/** The canvas in the size that it is shown in, its coordinates in CSS pixels. */
function fresh(canvas: HTMLCanvasElement, width: number, height: number): Paint {
  const ratio = Math.min(SHARPEST, window.devicePixelRatio || 1);
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  const paint = canvas.getContext("2d")!;
  paint.setTransform(ratio, 0, 0, ratio, 0, 0);
  return paint;
}

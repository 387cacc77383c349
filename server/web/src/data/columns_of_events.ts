// Columns made of a trace's events, for servers that do not make them: lanes and times, and of the edges those to parents.
import { millis } from "../base/format";
import { TraceView, WireEvent } from "../base/types";
import { Columns, flag, LaneName } from "./columns";
import { fields, nameOfEvent, placeOfEvent, variant } from "./event_text";

class Table {
  readonly texts: string[] = [];
  private readonly places = new Map<string, number>();
  at(text: string): number {
    const known = this.places.get(text);
    if (known !== undefined) return known;
    this.places.set(text, this.texts.length);
    return this.texts.push(text) - 1;
  }
}

function flagsOf(event: WireEvent, racing: Set<string>, known: Set<string>): number {
  const access = String(fields(event).access_type ?? "");
  let flags = 0;
  if (variant(event) === "StateChange") flags |= /Write|RMW/.test(access) ? flag.writes : flag.reads;
  if (variant(event) === "Error") flags |= flag.error;
  if (racing.has(event.id)) flags |= flag.race;
  if (event.parent_id !== null && !known.has(event.parent_id)) flags |= flag.orphan;
  return flags;
}

export function columnsOf(view: TraceView): Columns {
  const { events } = view;
  const kinds = new Table();
  const names = new Table();
  const places = new Table();
  const lanes = new Table();
  const laneNames: LaneName[] = [];
  const known = new Set(events.map((event) => event.id));
  const racing = new Set(view.analysis.race_details.flatMap((race) => [race.event1_id, race.event2_id]));
  const micros = events.map((event) => Math.round(millis(event.timestamp) * 1000));
  const t0 = micros.reduce((least, at) => Math.min(least, at), micros[0] ?? 0);
  const columns: Columns = {
    trace_id: view.trace_id, as_of: "", total_events: view.total_events ?? events.length, events: events.length, t0,
    lanes: laneNames, kinds: kinds.texts, names: names.texts, places: places.texts,
    id: [], lane: [], column: [], kind: [], name: [], place: [], t: [], duration: [], flags: [],
    cause_from: [0], cause: [], cause_reason: [], reasons: ["parent"],
    weak_from: new Array<number>(events.length + 1).fill(0), weak: [], races: [], race_pairs: view.analysis.potential_races,
  };
  const placeOf = new Map<string, number>();
  events.forEach((event, at) => {
    const { metadata } = event;
    const lane = lanes.at(JSON.stringify([metadata.service_name, metadata.instance_id ?? null, metadata.process_id, metadata.thread_id]));
    laneNames[lane] ??= { service: metadata.service_name, instance: metadata.instance_id ?? null, process: String(metadata.process_id), thread: metadata.thread_id, row: 0 };
    const place = placeOfEvent(event);
    columns.id.push(event.id);
    columns.lane.push(lane);
    columns.column.push(at);
    columns.kind.push(kinds.at(variant(event)));
    columns.name.push(names.at(nameOfEvent(event)));
    columns.place.push(place === "" ? -1 : places.at(place));
    columns.t.push(micros[at]! - t0);
    columns.duration.push(metadata.duration_ns === null ? null : metadata.duration_ns / 1e6);
    columns.flags.push(flagsOf(event, racing, known));
    const parent = event.parent_id === null ? undefined : placeOf.get(event.parent_id);
    if (parent !== undefined && columns.lane[parent] !== lane) {
      columns.cause.push(parent);
      columns.cause_reason.push(0);
    }
    columns.cause_from.push(columns.cause.length);
    placeOf.set(event.id, at);
  });
  return columns;
}

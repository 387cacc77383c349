import { clock, count, duration } from "../base/format";
import { FoundTrace, RaceDetail } from "../base/types";
import { GridColumn } from "../parts/grid";
import { Foreign, Id } from "../parts/text";
import { Link } from "../parts/link";
import { href } from "../base/route";
import { lasted } from "../data/traces";
import { TraceRow, useNotes } from "./traces_notes";
import { RaceMark } from "../parts/race_mark";

export function columnsOfList(noteOf: ReturnType<typeof useNotes>["of"]): GridColumn<TraceRow>[] {
  return [
    { head: "started", width: "minmax(150px, 176px)", cell: (row) => <time dateTime={row.first_timestamp} title={row.first_timestamp}>{clock(row.first_timestamp)}</time> },
    { head: "trace", width: "minmax(78px, 130px)", cell: (row) => <Link to={href(["traces", row.trace_id])} tabIndex={-1}><Id id={row.trace_id} /></Link> },
    { head: "what", width: "minmax(110px, 2.5fr)", cell: (row) => <What row={noteOf(row).found} /> },
    { head: "services", width: "minmax(90px, 2fr)", wide: true, cell: (row) => <Foreign text={row.services.join(", ")} most={120} /> },
    { head: "events", width: "62px", right: true, cell: (row) => count(row.event_count) },
    { head: "duration", width: "76px", right: true, cell: (row) => duration(lasted(row)) },
    { head: "races", width: "minmax(84px, 3fr)", cell: (row) => <RacesCell races={noteOf(row).found.races} first={noteOf(row).first} /> },
  ];
}

function What({ row }: { row: FoundTrace }) {
  if (row.name === null) return <span className="dim" title="Too many events to look at each">–</span>;
  return (
    <>
      <Foreign text={row.name} />
      {row.missing_parent && <span className="dim"> (root not yet in)</span>}
    </>
  );
}

function RacesCell({ races, first }: { races: number | null; first: RaceDetail | null }) {
  if (races === null) return <span className="dim" title="Too many events to look at each">–</span>;
  if (races === 0) return <span className="dim">none</span>;
  return <RaceMark races={races} first={first} />;
}

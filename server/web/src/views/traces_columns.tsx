import { clock, count, duration } from "../base/format";
import { TraceSummary } from "../base/types";
import { GridColumn } from "../parts/grid";
import { Foreign, Id } from "../parts/text";
import { Link } from "../parts/link";
import { href } from "../base/route";
import { lasted } from "../data/traces";
import { Note } from "./traces_notes";
import { RaceMark } from "./race_mark";

export function columnsOfList(noteOf: (row: TraceSummary) => Note | undefined): GridColumn<TraceSummary>[] {
  return [
    { key: "started", head: "started", width: "minmax(150px, 176px)", cell: (row) => <time dateTime={row.first_timestamp} title={row.first_timestamp}>{clock(row.first_timestamp)}</time> },
    { key: "trace", head: "trace", width: "minmax(78px, 130px)", cell: (row) => <Link to={href(["traces", row.trace_id])} tabIndex={-1}><Id id={row.trace_id} /></Link> },
    { key: "what", head: "what", width: "minmax(110px, 2.5fr)", cell: (row) => <What row={row} note={noteOf(row)} /> },
    { key: "services", head: "services", width: "minmax(90px, 2fr)", wide: true, cell: (row) => <Foreign text={row.services.join(", ")} most={120} /> },
    { key: "events", head: "events", width: "62px", right: true, cell: (row) => count(row.event_count) },
    { key: "duration", head: "duration", width: "76px", right: true, cell: (row) => duration(lasted(row)) },
    { key: "races", head: "races", width: "minmax(84px, 3fr)", cell: (row) => <RacesCell note={noteOf(row)} /> },
  ];
}

function What({ row, note }: { row: TraceSummary; note: Note | undefined }) {
  const name = row.name ?? note?.name ?? null;
  if (name === null) return <span className="dim">–</span>;
  return (
    <>
      <Foreign text={name} />
      {row.missing_parent && <span className="dim"> (root not yet in)</span>}
    </>
  );
}

function RacesCell({ note }: { note: Note | undefined }) {
  if (note === undefined || note.races === null) return <span className="dim" title="Not looked at yet">–</span>;
  if (note.races === 0) return <span className="dim">none</span>;
  return <RaceMark races={note.races} first={note.first} />;
}

// One race: what the two accesses did, why nothing orders them, and what would.
import { announce } from "../base/announce";
import { cut, value, visible } from "../base/format";
import { href } from "../base/route";
import { useAnswer } from "../base/use_answer";
import { WireEvent } from "../base/types";
import { fields, nameOfEvent, placeOfEvent } from "../data/event_text";
import { event, relation } from "../data/trace";
import { Link } from "../parts/link";
import { Foreign, Id, Place } from "../parts/text";
import { Answered } from "../parts/trouble";
import { Witness } from "../parts/witness";
import { change, verb } from "./sentences";

const access = (of: WireEvent) => String(fields(of).access_type ?? "");
const clockOf = (of: WireEvent) => of.causality_vector.map(([component, n]) => `${component}:${n}`).join(", ");

/** "W balance 100 → 70" */
const saidOf = (of: WireEvent) => `${verb(access(of)) === "writes" ? "W" : "R"} ${cut(visible(nameOfEvent(of)), 22)} ${change(fields(of).old_value, fields(of).new_value, access(of))}`;

function Side({ of }: { of: WireEvent }) {
  return (
    <>
      <Foreign text={of.metadata.thread_id || of.metadata.service_name} most={48} /> {verb(access(of))} <strong><Foreign text={nameOfEvent(of)} most={60} /></strong>{" "}
      <span className="mono">({change(fields(of).old_value, fields(of).new_value, access(of))})</span> at <Place place={placeOfEvent(of)} />
    </>
  );
}

function lost(a: WireEvent, b: WireEvent): string | null {
  if (verb(access(a)) !== "writes" || verb(access(b)) !== "writes") return null;
  const [first, second] = a.timestamp <= b.timestamp ? [fields(a), fields(b)] : [fields(b), fields(a)];
  if (second.old_value === undefined || second.old_value === null || JSON.stringify(first.new_value) === JSON.stringify(second.old_value)) return null;
  return `Lost: ${value(first.new_value, 40)}. The write with the later time starts from ${value(second.old_value, 40)}, as if it had not been.`;
}

function Clocks({ a, b }: { a: WireEvent; b: WireEvent }) {
  if (a.causality_vector.length === 0 || b.causality_vector.length === 0) return <>Neither saw the other. </>;
  return (
    <>
      Neither saw the other: the first knows <Foreign text={`{${clockOf(a)}}`} most={120} mono />, the second <Foreign text={`{${clockOf(b)}}`} most={120} mono />.{" "}
    </>
  );
}

export function RaceStory({ trace, first, second }: { trace: string; first: string; second: string }) {
  const read = async (signal: AbortSignal) => {
    const [a, b, related] = await Promise.all([event(trace, first, signal), event(trace, second, signal), relation(trace, first, second, signal)]);
    announce(related.relation === "concurrent" ? "The two accesses are concurrent" : `The first is ${related.relation} the second`);
    return { a, b, related };
  };
  const answer = useAnswer(`race ${trace} ${first} ${second}`, read);
  return (
    <div className="story">
      <Answered answer={answer} waiting="Reading the two accesses …">
        {({ a, b, related }) => {
          if (!a || !b) return <p className="quiet">One of the two events is not there any more.</p>;
          const common = related.last_common_id;
          const shared = a.lock_set.filter((lock) => b.lock_set.includes(lock));
          const loss = lost(a, b);
          return (
            <>
              <p><Side of={a} />; <Side of={b} />.</p>
              <p>
                {related.relation === "concurrent" && <Clocks a={a} b={b} />}
                {common ? <>Both follow <Link to={href(["traces", trace], { sel: common })}><Id id={common} /></Link>, the last event that both know of.</> : related.relation === "concurrent" && <>No event is known that both follow.</>}
                {shared.length > 0 && <> Both say that they hold <Foreign text={shared.join(", ")} />.</>}
              </p>
              {loss && <p className="bad">{loss}</p>}
              <Witness relation={related} said={{ [first]: saidOf(a), [second]: saidOf(b) }} />
              <p className="dim">What would order them: one lock around both, or a message from one to the other. <Link to={href(["traces", trace], { sel: first, mark: second })}>Open in the diagram</Link></p>
            </>
          );
        }}
      </Answered>
    </div>
  );
}

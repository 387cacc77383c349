// Races of all traces, grouped by the two places in the program: each pair of places once.
import { useMemo } from "../base/react";

import { ask } from "../base/client";
import { count, plural } from "../base/format";
import { go, href, Route, withQuery } from "../base/route";
import { useAnswer } from "../base/use_answer";
import { RaceGroup } from "../base/types";
import { useLoaded } from "./loaded";
import { Link } from "../parts/link";
import { Racing } from "../parts/race_mark";
import { Foreign, Id, Narrow, Place } from "../parts/text";
import { Answered, TroubleNote } from "../parts/trouble";
import { RaceStory } from "../trace/race_story";
import { Pending } from "./pending";

interface Groups {
  total: number;
  total_races: number;
  races: RaceGroup[];
  pending_traces?: number;
}

const letter = (access: string) => (/Write|RMW/.test(access) ? "W" : "R");
const kindOf = (group: RaceGroup) => [letter(group.access1), letter(group.access2)].sort().join("-");
const atomic = (group: RaceGroup) => /Atomic/.test(group.access1) && /Atomic/.test(group.access2);

function Group({ group, open, to }: { group: RaceGroup; open: boolean; to: string }) {
  const example = group.examples[0];
  return (
    <li className={open ? "open" : ""}>
      <button className="story-head" aria-expanded={open} onClick={() => go(to, "replace")}>
        <Racing>{kindOf(group)}{atomic(group) && " atomic"}</Racing>
        <strong><Foreign text={group.variable} most={60} /></strong>
        <span className="pair"><Place place={group.site1} /> <span className="dim">⟷</span> <Place place={group.site2} /></span>
        <span className="dim numbers">{plural(group.races, "pair")} in {plural(group.traces, "trace")}</span>
      </button>
      {open && example && (
        <>
          <RaceStory trace={example.trace_id} first={example.event1_id} second={example.event2_id} />
          <p className="more"><Link to={href(["races", group.key])}>This race alone, with its traces</Link> · <Link to={href(["variables", group.variable])}>The variable</Link></p>
        </>
      )}
    </li>
  );
}

export function Races({ route }: { route: Route }) {
  const text = route.query.get("q") ?? "";
  const wanted = text.toLowerCase();
  const list = useLoaded<RaceGroup, Groups>("/api/races", (data: Groups) => ({ rows: data.races, total: data.total }));
  const shown = useMemo(() => list.rows.filter((group) => [group.variable, group.site1, group.site2].some((each) => each.toLowerCase().includes(wanted))), [list.rows, wanted]);
  const open = route.query.get("open") ?? shown[0]?.key;
  return (
    <div className="view scroll">
      <div className="title">
        <h1>Races</h1>
        {list.last && <p className="dim">{plural(list.last.total_races, "pair")} at {plural(list.last.total, "pair of places", "pairs of places")}</p>}
      </div>
      <div className="filters">
        <Narrow label="variable or place" value={text} change={(q) => go(withQuery(route, { q }), "replace")} />
      </div>
      {list.trouble && <TroubleNote trouble={list.trouble} retryIn={list.retryIn} again={list.again} />}
      <Pending traces={list.last?.pending_traces} />
      {list.last && shown.length === 0 && <section className="empty"><p>{text === "" ? "No race in any trace: of any two accesses to one variable within a trace, of which one writes, something orders them." : "No race is like that."}</p></section>}
      {!list.last && !list.trouble && <p className="quiet" aria-busy="true">Reading …</p>}
      <ul className="stories">
        {shown.slice(0, 60).map((group) => (
          <Group key={group.key} group={group} open={group.key === open} to={withQuery(route, { open: group.key === open ? "none" : group.key })} />
        ))}
      </ul>
      {shown.length > 60 && <p className="dim">{count(shown.length - 60)} more: narrow them by a variable or a place.</p>}
      {list.more && <button onClick={list.more}>More</button>}
    </div>
  );
}

export function Race({ route }: { route: Route }) {
  const key = route.name!;
  const answer = useAnswer(`race ${key}`, (signal: AbortSignal) => ask<RaceGroup & { pending_traces?: number }>(`/api/races/${encodeURIComponent(key)}`, {}, signal));
  return (
    <div className="view scroll">
      <Answered answer={answer} hint={(trouble) => trouble.status === 404 && <>Its traces may be gone. <Link to="/races">All races</Link></>}>
        {(group) => {
          const chosen = group.examples.find((each) => each.trace_id === route.query.get("trace")) ?? group.examples[0];
          return (
            <>
              <div className="title"><h1><Foreign text={group.variable} most={80} /></h1><Racing>{kindOf(group)}</Racing></div>
              <p className="facts"><Place place={group.site1} /> <span className="dim">{group.access1} ⟷ {group.access2}</span> <Place place={group.site2} /> <span className="dim">· {plural(group.races, "pair")} in {plural(group.traces, "trace")}</span></p>
              <Pending traces={group.pending_traces} />
              {chosen && <RaceStory trace={chosen.trace_id} first={chosen.event1_id} second={chosen.event2_id} />}
              <h2>In these traces{group.examples.length < group.traces && <span className="dim"> (the newest {count(group.examples.length)} of {count(group.traces)})</span>}</h2>
              <ul className="chips">
                {group.examples.map((each) => (
                  <li key={each.trace_id}>
                    <button className="small" aria-pressed={each === chosen} onClick={() => go(withQuery(route, { trace: each.trace_id }), "replace")}><Id id={each.trace_id} /> {each.races > 1 && plural(each.races, "pair")}</button>
                    <Link to={href(["traces", each.trace_id], { view: "races", race: `${each.event1_id}~${each.event2_id}` })}>open</Link>
                  </li>
                ))}
              </ul>
            </>
          );
        }}
      </Answered>
    </div>
  );
}

// The races of the trace, worst first; one is open.
import { count } from "../base/format";
import { go, Route, routeNow, withQuery } from "../base/route";
import { useKeys } from "../base/use_keys";
import { RaceDetail, TraceView } from "../base/types";
import { letters, Racing } from "../parts/race_mark";
import { Foreign, Place } from "../parts/text";
import { RaceStory } from "./race_story";

const keyOf = (race: RaceDetail) => `${race.event1_id}~${race.event2_id}`;

function step(races: RaceDetail[], by: number) {
  const route = routeNow();
  const open = races.findIndex((race) => keyOf(race) === route.query.get("race"));
  const next = races[(open + by + races.length) % races.length];
  if (next) go(withQuery(route, { race: keyOf(next) }), "replace");
}

export function RacesTab({ route, trace, view }: { route: Route; trace: string; view: TraceView }) {
  const { race_details: races, potential_races: all } = view.analysis;
  const asked = route.query.get("race");
  const open = asked ?? (races[0] ? keyOf(races[0]) : null);
  useKeys((key) => {
    if (key === "r" || key === "R") step(races, key === "r" ? 1 : -1);
  });
  if (races.length === 0) return <section className="empty"><p>No race: of any two accesses to one variable, of which one writes, something orders them, or one lock is held at both.</p></section>;
  return (
    <div className="scroll">
      {races.length < all && <p className="dim">The first {count(races.length)} of {count(all)} pairs.</p>}
      <ul className="stories">
        {races.map((race) => {
          const isOpen = keyOf(race) === open;
          return (
            <li key={keyOf(race)} className={isOpen ? "open" : ""}>
              <button className="story-head" aria-expanded={isOpen} onClick={() => go(withQuery(route, { race: isOpen ? "none" : keyOf(race) }), "replace")}>
                <Racing>{letters(race.severity, race.class)}</Racing>
                <strong><Foreign text={race.variable} most={60} /></strong>
                <span className="pair"><Place place={race.event1_location} /> <span className="dim">⟷</span> <Place place={race.event2_location} /></span>
                {race.event1_thread && <span className="dim wide"><Foreign text={race.event1_thread} most={24} />, <Foreign text={race.event2_thread} most={24} /></span>}
              </button>
              {isOpen && <RaceStory trace={trace} first={race.event1_id} second={race.event2_id} />}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

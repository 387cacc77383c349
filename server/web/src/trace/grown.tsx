// A trace that grows while it is looked at: what is shown stays until somebody wants the rest.
import { useCallback, useEffect, useState } from "../base/react";

import { count } from "../base/format";
import { onChanges } from "../data/live";

export function useGrown(id: string) {
  const [state, setState] = useState({ id, shown: 0, now: 0, events: 0 });
  useEffect(() => onChanges((changed) => {
    const trace = changed.find((each) => each.trace_id === id);
    if (trace) setState((before) => ({ ...(before.id === id ? before : { id, shown: 0, now: 0 }), now: (before.id === id ? before.now : 0) + 1, events: trace.event_count }));
  }), [id]);
  const show = useCallback(() => setState((before) => ({ ...before, shown: before.now })), []);
  const own = state.id === id;
  return { shown: own ? state.shown : 0, events: own && state.now > state.shown ? state.events : null, show };
}

export function Grown({ events, show }: { events: number | null; show: () => void }) {
  if (events === null) return null;
  return <p className="note">The trace has grown to {count(events)} events. <button className="primary small" onClick={show}>Show them</button></p>;
}

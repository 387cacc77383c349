// The diagram, and below it what is selected in it.
import { useCallback } from "../base/react";

import { announce } from "../base/announce";
import { go, Route, routeNow, withQuery } from "../base/route";
import { useTheme } from "../base/theme";
import { Columns } from "../data/columns";
import { relation } from "../data/trace";
import { Diagram, DiagramState } from "../diagram";
import { diagramState, queryOf } from "./diagram_state";
import { EventPanel } from "./event_panel";

export function DiagramTab({ route, graph }: { route: Route; graph: Columns }) {
  const theme = useTheme();
  const state = diagramState(route);
  const onState = useCallback((next: Partial<DiagramState>) => go(withQuery(routeNow(), queryOf(next)), "replace"), []);
  const related = useCallback((a: string, b: string) => relation(graph.trace_id, a, b), [graph.trace_id]);
  return (
    <div className="with-panel">
      <div className="diagram-place">
        <Diagram graph={graph} state={state} onState={onState} relation={related} theme={theme} announce={announce} />
      </div>
      {state.sel !== null && <EventPanel graph={graph} id={state.sel} mark={null} route={route} details />}
    </div>
  );
}

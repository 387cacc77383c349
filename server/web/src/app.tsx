// Which view an address leads to.
import { useEffect } from "./base/react";

import { cut, shortId, visible } from "./base/format";
import { Route, useRoute } from "./base/route";
import { Boundary } from "./parts/boundary";
import { Link } from "./parts/link";
import { Shell } from "./parts/shell";
import { Trace } from "./trace/trace";
import { Compare } from "./views/compare";
import { Race, Races } from "./views/races";
import { Send } from "./views/send";
import { Services, ServiceView } from "./views/services";
import { StorageView } from "./views/storage";
import { Traces } from "./views/traces";
import { Variable, Variables } from "./views/variables";

function View({ route }: { route: Route }) {
  switch (route.view) {
    case "":
    case "traces": return route.name === null ? <Traces route={route} /> : <Trace key={route.name} route={route} />;
    case "races": return route.name === null ? <Races route={route} /> : <Race route={route} />;
    case "variables": return route.name === null ? <Variables route={route} /> : <Variable route={route} />;
    case "services": return route.name === null ? <Services /> : <ServiceView route={route} />;
    case "compare": return <Compare route={route} />;
    case "storage": return <StorageView />;
    case "send": return <Send route={route} />;
    default: return <section className="empty"><p>There is no such view. <Link to="/traces">Traces</Link></p></section>;
  }
}

export function App() {
  const route = useRoute();
  useEffect(() => {
    const view = route.view === "" ? "Traces" : route.view[0]!.toUpperCase() + route.view.slice(1);
    document.title = route.name === null ? `${view} – Raceway` : `${cut(visible(shortId(route.name)), 40)} – ${view} – Raceway`;
  }, [route.view, route.name]);
  return (
    <Shell route={route}>
      <Boundary of={`${route.view}/${route.name ?? ""}`}>
        <View route={route} />
      </Boundary>
    </Shell>
  );
}

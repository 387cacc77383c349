// Which services took part, and who called whom.
import { count } from "../base/format";
import { href } from "../base/route";
import { TraceView } from "../base/types";
import { CallGraph } from "../parts/call_graph";
import { Link } from "../parts/link";
import { Foreign } from "../parts/text";

export function ServicesTab({ view }: { view: TraceView }) {
  const found = view.dependencies;
  if (!found || found.services.length === 0) return <section className="empty"><p>No event names its service.</p></section>;
  return (
    <div className="scroll">
      <ul className="legend">
        {found.services.map((service) => (
          <li key={service.name}><Link to={href(["services", service.name])}><Foreign text={service.name} most={60} /></Link> <span className="dim">{count(service.event_count)} events</span></li>
        ))}
      </ul>
      {found.dependencies.length === 0 ? <p className="dim">No call from one to another is known.</p> : <CallGraph calls={found.dependencies.map((each) => ({ from: each.from, to: each.to, calls: each.call_count }))} />}
    </div>
  );
}

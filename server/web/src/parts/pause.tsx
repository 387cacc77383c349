// Whether the picture follows what arrives, and how much that is.
import { count } from "../base/format";
import { useStore } from "../base/store";
import { live, paused } from "../data/live";

export function LiveState() {
  const now = useStore(live);
  const still = useStore(paused);
  const word = now.state === "away" ? "away" : still ? "paused" : now.state === "live" ? "live" : "…";
  return (
    <button className={`live ${word}`} aria-pressed={still} onClick={() => paused.set(!still)}
      title={still ? "Follow again what arrives" : "Let the picture stand still; nothing is lost"}>
      <span className="lamp" aria-hidden="true" />
      {word}
      {now.state === "live" && <span className="rate">{count(now.perSecond)} ev/s</span>}
      {now.state === "away" && <span className="rate">again in {now.retryIn} s</span>}
    </button>
  );
}

// Texts that others have written: one line, isolated, characters that are not seen made visible, cut where they are long.
import { cut, shortId, shortPlace, visible } from "../base/format";

export function Foreign({ text, most = 160, mono = false }: { text: string; most?: number; mono?: boolean }) {
  const shown = visible(text);
  return (
    <bdi className={mono ? "mono" : undefined} title={shown.length > most ? cut(shown, 2000) : undefined}>
      {cut(shown, most)}
    </bdi>
  );
}

/** What is typed to narrow a list. */
export function Narrow({ label, value, change }: { label: string; value: string; change: (text: string) => void }) {
  return <label className="grow"><span>{label}</span><input type="search" value={value} onChange={(event) => change(event.target.value)} autoComplete="off" spellCheck={false} /></label>;
}

export function Id({ id }: { id: string }) {
  return (
    <bdi className="mono" title={cut(visible(id), 300)}>
      {visible(shortId(id))}
    </bdi>
  );
}

export function Place({ place }: { place: string }) {
  if (place === "") return <span className="dim">–</span>;
  return (
    <bdi className="mono place" title={cut(visible(place), 600)}>
      {shortPlace(place)}
    </bdi>
  );
}

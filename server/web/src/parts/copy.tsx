import { useEffect, useState } from "../base/react";

import { announce } from "../base/announce";

/** By the clipboard where the page may use it, else by a selection: over plain HTTP it may not. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

export function Copy({ text, children = "Copy" }: { text: string; children?: string }) {
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    if (said === null) return;
    const timer = setTimeout(() => setSaid(null), 1500);
    return () => clearTimeout(timer);
  }, [said]);
  const click = async () => {
    const word = (await copy(text)) ? "Copied" : "Select it by hand";
    setSaid(word);
    announce(word);
  };
  return <button className="small" onClick={click}>{said ?? children}</button>;
}

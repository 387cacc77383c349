// Keys of the whole page, where nobody types.
import { useEffect, useRef } from "./react";

export function useKeys(pressed: (key: string, event: KeyboardEvent) => unknown) {
  const latest = useRef(pressed);
  latest.current = pressed;
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if ((event.target as Element).closest?.("input, textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
      latest.current(event.key, event);
    };
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, []);
}

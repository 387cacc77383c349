// Asking again: by itself after some seconds, which are counted down, or when somebody wants it.
import { useCallback, useEffect, useState } from "./react";

import { Trouble } from "./client";

export const troubleOf = (error: unknown) => (error instanceof Trouble ? error : new Trouble(-1, String(error)));

/** `attempt` grows with each time that is to be asked again; `retryIn` are the seconds until then, or null. */
export function useRetry() {
  const [attempt, setAttempt] = useState(0);
  const [retryIn, setRetryIn] = useState<number | null>(null);
  const again = useCallback(() => setAttempt((n) => n + 1), []);
  useEffect(() => {
    if (retryIn === null) return;
    const timer = setTimeout(() => (retryIn <= 1 ? again() : setRetryIn(retryIn - 1)), 1000);
    return () => clearTimeout(timer);
  }, [retryIn, again]);
  return { attempt, retryIn, setRetryIn, again };
}

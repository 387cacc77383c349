// What keeps an answer from being shown, in a sentence, and what can be done.
import type { ReactNode } from "react";

import { access, Trouble } from "../base/client";
import { cut, visible } from "../base/format";
import { useStore } from "../base/store";
import { Answer } from "../base/use_answer";

function sentence(trouble: Trouble): string {
  const said = trouble.unreachable ? "The server cannot be reached" : cut(visible(trouble.message), 400);
  return /[.!?…]$/.test(said) ? said : said + ".";
}

export function TroubleNote({ trouble, retryIn, again, hint }: { trouble: Trouble; retryIn: number | null; again: () => void; hint?: ReactNode }) {
  const { asked } = useStore(access);
  if (trouble.status === 401 && asked) return <p className="quiet">Waiting for an API key.</p>;
  return (
    <section className="trouble" role="alert">
      <p>
        <strong>{sentence(trouble)}</strong>
        {hint && <> {hint}</>}
      </p>
      <p className="dim">
        {retryIn !== null && <>Trying again in {retryIn} s. </>}
        {trouble.requestId !== null && (
          <>
            Request <code>{visible(trouble.requestId)}</code>, for the server's log.
          </>
        )}
      </p>
      <button onClick={again}>Try again now</button>
    </section>
  );
}

interface Props<T> {
  answer: Answer<T>;
  waiting?: ReactNode;
  hint?: (trouble: Trouble) => ReactNode;
  children: (data: T) => ReactNode;
}

/** The answer, grey where it is the last one that came; before it has come, a word; without one, why. */
export function Answered<T>({ answer, waiting, hint, children }: Props<T>) {
  const { data, trouble, retryIn, again } = answer;
  const note = trouble && <TroubleNote trouble={trouble} retryIn={retryIn} again={again} hint={hint?.(trouble)} />;
  if (data === null) return <>{note ?? <p className="quiet" aria-busy="true">{waiting ?? "Reading …"}</p>}</>;
  return (
    <>
      {note}
      <div className={trouble ? "stale" : "fresh"}>{children(data)}</div>
    </>
  );
}

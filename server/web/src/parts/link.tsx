import type { AnchorHTMLAttributes, MouseEvent } from "react";

import { go, inBase } from "../base/route";

type Props = AnchorHTMLAttributes<HTMLAnchorElement> & { to: string; replace?: boolean };

/** A link within the page; other buttons and modifiers do what they do everywhere. */
export function Link({ to, replace = false, onClick, ...rest }: Props) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to, replace ? "replace" : "push");
  };
  return <a href={inBase(to)} onClick={follow} {...rest} />;
}

import type { ReactNode } from "react";
import { useEffect, useRef } from "../base/react";

/** Over everything else; Escape closes it where it may be closed. */
export function Dialog({ title, onClose, children }: { title: string; onClose?: () => void; children: ReactNode }) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current!;
    if (!dialog.open) dialog.showModal();
    return () => dialog.close();
  }, []);
  return (
    <dialog ref={element} aria-label={title} onCancel={(event) => (event.preventDefault(), onClose?.())} onClick={(event) => event.target === element.current && onClose?.()}>
      <header>
        <h2>{title}</h2>
        {onClose && <button className="small" onClick={onClose} aria-label="Close">✕</button>}
      </header>
      {children}
    </dialog>
  );
}

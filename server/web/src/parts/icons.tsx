// Small drawings of our own, in the colour of the text around them.
import type { ReactNode } from "react";

const drawn: Record<string, ReactNode> = {
  traces: <path d="M2 4h12M2 12h12M5 4l5 8" />,
  races: <><path d="M2 4h5M2 12h5" /><circle cx="11" cy="4" r="2.4" /><circle cx="11" cy="12" r="2.4" /><path d="M11 7v2" strokeDasharray="1 1" /></>,
  variables: <path d="M5 2.5C3 2.5 3.5 8 2 8c1.500 0 1 5.500 3 5.500M11 2.500c2 0 1.500 5.500 3 5.500-1.500 0-1 5.500-3 5.500M6.500 6l3 4M9.500 6l-3 4" />,
  services: <><rect x="2" y="2" width="5" height="4" rx="1" /><rect x="9" y="10" width="5" height="4" rx="1" /><path d="M4.500 6v6H9" /></>,
  storage: <><ellipse cx="8" cy="4" rx="5.500" ry="2" /><path d="M2.500 4v8c0 1.100 2.500 2 5.500 2s5.500-.9 5.500-2V4M2.500 8c0 1.100 2.500 2 5.500 2s5.500-.9 5.500-2" /></>,
  send: <path d="M8 13V3M4 7l4-4 4 4M2.500 14h11" />,
};

export function Icon({ name }: { name: string }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      {drawn[name]}
    </svg>
  );
}

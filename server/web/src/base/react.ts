// React as every module takes it: by names that the bundler can make short, which it cannot do to the parts of a package.
// JSX becomes calls of `h` (server/web/bundle), shorter than React's own runtime for it. Both are 3 KB of the compressed page.
import { createElement, Fragment as ReactFragment } from "react";
import * as React from "react";

declare global {
  const h: typeof createElement;
  const Fragment: typeof ReactFragment;
}

const h = createElement;
const Fragment = ReactFragment;
const { Component, memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } = React;
export { Component, Fragment, h, memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore };

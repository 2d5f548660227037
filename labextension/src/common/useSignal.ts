import type { ISignal } from '@lumino/signaling';
import * as React from 'react';

/** Render again after each emission of a signal. */
export function useSignal<S, A>(signal: ISignal<S, A>): void {
  const [, again] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    signal.connect(again);
    return () => void signal.disconnect(again);
  }, [signal]);
}

import * as React from 'react';

/** Which form is open, of those that buttons open. When it closes, the focus goes back to its button. */
export function useOpened<T extends string>(
  first: T | null = null
): {
  opened: T | null;
  open: (what: T) => (event: React.MouseEvent<HTMLElement>) => void;
  close: () => void;
} {
  const [opened, setOpened] = React.useState<T | null>(first);
  const opener = React.useRef<HTMLElement | null>(null);
  return {
    opened,
    open: what => event => {
      opener.current = event.currentTarget;
      setOpened(what);
    },
    close: () => {
      setOpened(null);
      opener.current?.focus();
    }
  };
}

/** What a form does when it is sent: that it is under way, and why it failed. `done` follows where it did not. */
export function useSubmit(
  task: () => Promise<void>,
  done: () => void
): { submit: (event: React.FormEvent) => void; isBusy: boolean; error: unknown } {
  const [error, setError] = React.useState<unknown>(null);
  const [isBusy, setBusy] = React.useState(false);
  const run = async () => {
    setError(null);
    setBusy(true);
    try {
      await task();
      done();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return {
    submit: event => {
      event.preventDefault();
      void run();
    },
    isBusy,
    error
  };
}

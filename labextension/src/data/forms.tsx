import { Button } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ErrorNotice } from '../common/notice';
import type { TranslationBundle } from '../common/translation';

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

/** A form that makes something new: its fields, why it failed, and the two buttons. Escape closes it, too. */
export function CreateForm(
  props: React.PropsWithChildren<{
    label: string;
    trans: TranslationBundle;
    canCreate: boolean;
    error?: unknown;
    onSubmit: (event: React.FormEvent) => void;
    onClose: () => void;
  }>
): React.ReactElement {
  const { trans, error, onClose } = props;
  return (
    <form
      className="gf-Form"
      aria-label={props.label}
      onSubmit={props.onSubmit}
      onKeyDown={event => event.key === 'Escape' && onClose()}
    >
      {props.children}
      {error != null && <ErrorNotice error={error} trans={trans} />}
      <div className="gf-Bar">
        <Button type="submit" className="gf-Action gf-mod-primary" disabled={!props.canCreate}>
          {trans.__('Create')}
        </Button>
        <Button type="button" className="gf-Action" onClick={onClose}>
          {trans.__('Cancel')}
        </Button>
      </div>
    </form>
  );
}

import * as React from 'react';

import { Busy } from './busy';
import { ErrorNotice } from './notice';
import type { TranslationBundle } from './translation';
import { useSignal } from './useSignal';
import type { Resource } from './resource';

/** What was read, or that it is being read, or why it could not be. A value that was read before stays in view. */
export function Loaded<T>(props: {
  resource: Resource<T>;
  trans: TranslationBundle;
  /** Said while it takes long. */
  label: string;
  children: (value: NonNullable<T>) => React.ReactNode;
}): React.ReactElement {
  const { resource, trans } = props;
  useSignal(resource.changed);
  const { value, error } = resource;
  return (
    <>
      {error != null && <ErrorNotice error={error} trans={trans} onRetry={() => void resource.refresh()} />}
      {value != null ? props.children(value) : error == null && <Busy label={props.label} />}
    </>
  );
}

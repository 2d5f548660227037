import { Button, refreshIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ApiError, messageOf } from '../api/errors';
import type { TranslationBundle } from './translation';

/** An error as the API words it, with a way to try again. Announced by screen readers. */
export function ErrorNotice(props: {
  error: unknown;
  trans: TranslationBundle;
  onRetry?: () => void;
  retryLabel?: string;
}): React.ReactElement {
  const { error, trans, onRetry } = props;
  return (
    <div className="gf-Notice gf-mod-error" role="alert">
      <p className="gf-Notice-text">{messageOf(error)}</p>
      {error instanceof ApiError && error.requestId && (
        <p className="gf-Notice-small">{trans.__('Request %1', error.requestId)}</p>
      )}
      {onRetry && (
        <Button className="jp-mod-styled gf-Notice-action" onClick={onRetry}>
          <refreshIcon.react tag="span" className="gf-Icon" />
          {props.retryLabel ?? trans.__('Try again')}
        </Button>
      )}
    </div>
  );
}

/** Something worth knowing that is no error. */
export function Notice(props: React.PropsWithChildren<{ kind?: 'info' | 'warning' }>): React.ReactElement {
  return (
    <div className={`gf-Notice gf-mod-${props.kind ?? 'info'}`} role="status">
      {props.children}
    </div>
  );
}

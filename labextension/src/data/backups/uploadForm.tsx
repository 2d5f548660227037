import { Button } from '@jupyterlab/ui-components';
import * as React from 'react';

import { isAbort } from '../../api/errors';
import { bytes } from '../../common/format';
import { ErrorNotice } from '../../common/notice';
import { notifyDone } from '../../common/notify';
import type { IPage } from '../page';
import { upload } from '../upload';

/** A backup that was downloaded, here or on another machine, comes in. */
export function UploadForm(props: { page: IPage; onClose: () => void }): React.ReactElement {
  const { page, onClose } = props;
  const { trans, model } = page;
  const [file, setFile] = React.useState<File | null>(null);
  const [sent, setSent] = React.useState<number | null>(null);
  const [error, setError] = React.useState<unknown>(null);
  const abort = React.useRef<AbortController | null>(null);

  // Nobody would hear of its end.
  React.useEffect(() => () => abort.current?.abort(), []);

  const send = async () => {
    if (!file) {
      return;
    }
    abort.current = new AbortController();
    setError(null);
    setSent(0);
    try {
      await upload(model.client, '/api/database/backups/upload', file, {
        signal: abort.current.signal,
        onSent: setSent
      });
      await model.backups.refresh();
      notifyDone(trans.__('%1 is taken in.', file.name));
      onClose();
    } catch (problem) {
      setSent(null);
      setError(isAbort(problem) ? null : problem);
    }
  };

  return (
    <form
      className="gf-Form"
      aria-label={trans.__('Upload a backup')}
      onSubmit={event => {
        event.preventDefault();
        void send();
      }}
      onKeyDown={event => event.key === 'Escape' && sent === null && onClose()}
    >
      <label className="gf-Field">
        <span>{trans.__('File')}</span>
        <input
          type="file"
          accept=".zip,application/zip"
          autoFocus
          disabled={sent !== null}
          onChange={event => setFile(event.target.files?.[0] ?? null)}
        />
        <small>
          {trans.__(
            'It is read as a whole and compared with its hashes before it is taken in. Nothing is restored yet.'
          )}
        </small>
      </label>
      {sent !== null && file && (
        <>
          <progress
            className="gf-Progress"
            aria-label={trans.__('How much is sent')}
            max={file.size}
            value={sent}
          />
          <p role="status">
            {sent < file.size
              ? trans.__('%1 of %2 sent', bytes(sent), bytes(file.size))
              : trans.__('It is being checked')}
          </p>
        </>
      )}
      {error != null && <ErrorNotice error={error} trans={trans} onRetry={() => void send()} />}
      <div className="gf-Bar">
        {sent === null ? (
          <>
            <Button type="submit" className="gf-Action gf-mod-primary" disabled={!file}>
              {trans.__('Upload')}
            </Button>
            <Button type="button" className="gf-Action" onClick={onClose}>
              {trans.__('Close')}
            </Button>
          </>
        ) : (
          <Button type="button" className="gf-Action" onClick={() => abort.current?.abort()}>
            {trans.__('Cancel')}
          </Button>
        )}
      </div>
    </form>
  );
}

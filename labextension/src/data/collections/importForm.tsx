import { Button } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ImportEvent } from '../../api/types';
import { bytes } from '../../common/format';
import { ErrorNotice, Notice } from '../../common/notice';
import { useSignal } from '../../common/useSignal';
import type { IPage } from '../page';
import { collectionOf, FileFormat, formatOf, ImportMode } from './transfer';

/** A file into a collection: which, how, how far it is, and what became of it. */
export function ImportForm(props: {
  page: IPage;
  /** The collection it goes to; without one the person says which. */
  into?: string;
  onClose: () => void;
  onDone?: () => void;
}): React.ReactElement {
  const { page, into, onClose } = props;
  const { trans, model } = page;
  const { transfer } = model;
  useSignal(transfer.changed);
  const [file, setFile] = React.useState<File | null>(null);
  const [name, setName] = React.useState(into ?? '');
  const [format, setFormat] = React.useState<FileFormat>('jsonl');
  const [mode, setMode] = React.useState<ImportMode>('add');

  const choose = (chosen: File | null) => {
    setFile(chosen);
    if (chosen) {
      setFormat(formatOf(chosen.name));
      setName(into ?? (name || collectionOf(chosen.name)));
    }
  };
  const send = async () => {
    if (file) {
      await transfer.start({ file, collection: name, branch: model.branch, format, mode });
      await model.database.refresh();
      props.onDone?.();
    }
  };
  const close = () => {
    transfer.clear();
    onClose();
  };

  if (transfer.isRunning || transfer.isOver) {
    return <Progress page={page} onClose={close} onRetry={() => void send()} canRetry={file !== null} />;
  }
  return (
    <form
      className="gf-Form"
      aria-label={trans.__('Import a file')}
      onSubmit={event => {
        event.preventDefault();
        void send();
      }}
      onKeyDown={event => event.key === 'Escape' && close()}
    >
      <label className="gf-Field">
        <span>{trans.__('File')}</span>
        <input
          type="file"
          accept=".jsonl,.ndjson,.json,.csv,text/csv,application/x-ndjson"
          autoFocus
          onChange={event => choose(event.target.files?.[0] ?? null)}
        />
        <small>{trans.__('JSON lines with one document each, or CSV with a column for each field.')}</small>
      </label>
      {into === undefined && (
        <label className="gf-Field">
          <span>{trans.__('Collection')}</span>
          <input
            className="jp-mod-styled gf-Input"
            spellCheck={false}
            autoComplete="off"
            value={name}
            onChange={event => setName(event.target.value)}
          />
          <small>{trans.__('It is made where it is not there.')}</small>
        </label>
      )}
      <label className="gf-Field">
        <span>{trans.__('Format')}</span>
        <select
          className="jp-mod-styled gf-Select"
          value={format}
          onChange={event => setFormat(event.target.value as FileFormat)}
        >
          <option value="jsonl">{trans.__('JSON lines')}</option>
          <option value="csv">CSV</option>
        </select>
      </label>
      <fieldset className="gf-Options">
        <legend>{trans.__('Documents that are there')}</legend>
        <label className="gf-Check">
          <input type="radio" name="mode" checked={mode === 'add'} onChange={() => setMode('add')} />
          <span>{trans.__('Stay. Lines that cannot be stored are told, the others are added.')}</span>
        </label>
        <label className="gf-Check">
          <input type="radio" name="mode" checked={mode === 'replace'} onChange={() => setMode('replace')} />
          <span>
            {trans.__('Are replaced, all or nothing: where a line is wrong, everything stays as it is.')}
          </span>
        </label>
      </fieldset>
      <div className="gf-Bar">
        <Button type="submit" className="gf-Action gf-mod-primary" disabled={!file || !name}>
          {trans.__('Import')}
        </Button>
        <Button type="button" className="gf-Action" onClick={close}>
          {trans.__('Close')}
        </Button>
      </div>
    </form>
  );
}

function Progress(props: {
  page: IPage;
  onClose: () => void;
  onRetry: () => void;
  canRetry: boolean;
}): React.ReactElement {
  const { page, onClose, onRetry, canRetry } = props;
  const { trans, model } = page;
  const { transfer } = model;
  const { event, file, error } = transfer;
  const size = file?.size ?? 0;
  const name = file?.name ?? '';
  return (
    <section className="gf-Form" aria-label={trans.__('Import of %1 into %2', name, transfer.collection)}>
      <h2 className="gf-Heading">{trans.__('%1 into %2', name, transfer.collection)}</h2>
      {transfer.isRunning && (
        <>
          <progress
            className="gf-Progress"
            aria-label={trans.__('How much is sent')}
            max={Math.max(size, 1)}
            value={transfer.sentBytes}
          />
          <p>
            {transfer.sentBytes < size
              ? trans.__('%1 of %2 sent', bytes(transfer.sentBytes), bytes(size))
              : trans.__('All is sent; the last lines are being stored')}
            {event && `, ${storedWord(event, page)}`}
          </p>
        </>
      )}
      {transfer.wasCancelled && (
        <Notice>
          <p>
            {transfer.mode === 'replace'
              ? trans.__('Cancelled. Everything is as it was.')
              : trans.__('Cancelled. What was stored until then is there.')}
          </p>
        </Notice>
      )}
      {error != null && <ErrorNotice error={error} trans={trans} onRetry={canRetry ? onRetry : undefined} />}
      {event?.kind === 'failed' && (
        <ErrorNotice
          error={new Error(event.message ?? trans.__('The import failed.'))}
          trans={trans}
          onRetry={canRetry ? onRetry : undefined}
        />
      )}
      {event?.kind === 'done' && (
        <Notice kind={event.refused > 0 ? 'warning' : 'info'}>
          <p>{trans.__('Done: %1.', storedWord(event, page))}</p>
          {event.message && <p>{event.message}</p>}
        </Notice>
      )}
      {event && <Refused event={event} page={page} />}
      <div className="gf-Bar">
        {transfer.isRunning ? (
          <Button className="gf-Action" onClick={() => transfer.cancel()}>
            {trans.__('Cancel')}
          </Button>
        ) : (
          <>
            {event?.kind === 'done' && model.collection?.name !== transfer.collection && (
              <Button
                className="gf-Action gf-mod-primary"
                onClick={() => {
                  model.openCollection(transfer.collection);
                  transfer.clear();
                }}
              >
                {trans.__('Open %1', transfer.collection)}
              </Button>
            )}
            <Button className="gf-Action" onClick={() => transfer.clear()}>
              {trans.__('Another file')}
            </Button>
            <Button className="gf-Action" onClick={onClose}>
              {trans.__('Close')}
            </Button>
          </>
        )}
      </div>
    </section>
  );
}

/** The lines that were not stored, and why. */
function Refused(props: { event: ImportEvent; page: IPage }): React.ReactElement | null {
  const { event, page } = props;
  const { trans } = page;
  const problems = event.problems ?? [];
  return problems.length === 0 ? null : (
    <table className="gf-Table">
      <caption className="gf-Refused-caption">
        {event.refused > problems.length
          ? trans.__('The first %1 of %2 lines that were not stored', problems.length, event.refused)
          : trans.__('Lines that were not stored')}
      </caption>
      <thead>
        <tr>
          <th scope="col" className="gf-mod-number">
            {trans.__('Line')}
          </th>
          <th scope="col">{trans.__('Why')}</th>
        </tr>
      </thead>
      <tbody>
        {problems.map(({ line, message }) => (
          <tr key={line}>
            <th scope="row" className="gf-mod-number">
              {line}
            </th>
            <td>{message}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function storedWord(event: ImportEvent, page: IPage): string {
  const { trans } = page;
  const stored = trans._n('%1 document stored', '%1 documents stored', event.stored);
  return event.refused > 0 ? trans.__('%1, %2 refused', stored, event.refused) : stored;
}

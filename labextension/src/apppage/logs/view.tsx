import { Button, clearIcon, downloadIcon, runIcon, stopIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { LogLevel } from '../../api/types';
import { Busy } from '../../common/busy';
import { ErrorNotice } from '../../common/notice';
import { withProgress } from '../../common/notify';
import { useSignal } from '../../common/useSignal';
import type { IPage } from '../page';
import { Empty } from '../../common/empty';
import { LogLines } from './lines';

const TYPING_MS = 300;

/** What the app prints, as it comes. */
export function LogsView(props: { page: IPage }): React.ReactElement {
  const { page } = props;
  const { trans, model } = page;
  const { logs } = model;
  const [text, setText] = React.useState(logs.text);
  const [isWrapped, setWrapped] = React.useState(true);
  useSignal(logs.changed);
  React.useEffect(() => {
    const timer = setTimeout(() => logs.filter(text.trim(), logs.level), TYPING_MS);
    return () => clearTimeout(timer);
  }, [logs, text]);

  const levels: [LogLevel | '', string][] = [
    ['', trans.__('All lines')],
    ['info', trans.__('Info and above')],
    ['warning', trans.__('Warnings and errors')],
    ['error', trans.__('Errors')]
  ];
  const { lines, waiting } = logs.buffer;
  const isFiltered = Boolean(logs.text || logs.level);
  return (
    <div className="gf-Logs">
      <div className="gf-Bar" role="toolbar" aria-label={trans.__('Log')}>
        <input
          className="jp-mod-styled gf-Input gf-Logs-search"
          type="search"
          placeholder={trans.__('Filter the log')}
          aria-label={trans.__('Filter the log')}
          value={text}
          onChange={event => setText(event.target.value)}
        />
        <select
          className="jp-mod-styled gf-Select"
          aria-label={trans.__('Level')}
          value={logs.level ?? ''}
          onChange={event =>
            logs.filter(logs.text, (event.target.value || undefined) as LogLevel | undefined)
          }
        >
          {levels.map(([level, label]) => (
            <option key={level} value={level}>
              {label}
            </option>
          ))}
        </select>
        <Button
          className="gf-Action"
          aria-pressed={logs.isPaused}
          onClick={() => (logs.isPaused ? logs.resume() : logs.pause())}
        >
          {logs.isPaused ? (
            <runIcon.react tag="span" className="gf-Icon" />
          ) : (
            <stopIcon.react tag="span" className="gf-Icon" />
          )}
          {!logs.isPaused
            ? trans.__('Pause')
            : waiting > 0
              ? trans.__('Resume (%1 new)', waiting)
              : trans.__('Resume')}
        </Button>
        <Button className="gf-Action" onClick={() => logs.clear()}>
          <clearIcon.react tag="span" className="gf-Icon" />
          {trans.__('Clear view')}
        </Button>
        <Button className="gf-Action" onClick={() => void download(page)}>
          <downloadIcon.react tag="span" className="gf-Icon" />
          {trans.__('Download')}
        </Button>
        <label className="gf-Check">
          <input type="checkbox" checked={isWrapped} onChange={event => setWrapped(event.target.checked)} />
          <span>{trans.__('Wrap lines')}</span>
        </label>
      </div>
      {logs.error != null && <ErrorNotice error={logs.error} trans={trans} onRetry={() => logs.retry()} />}
      {lines.length > 0 ? (
        <LogLines lines={lines} isWrapped={isWrapped} isPaused={logs.isPaused} trans={trans} />
      ) : logs.isReady ? (
        <Empty title={isFiltered ? trans.__('No line matches') : trans.__('Nothing was printed yet')}>
          <p>
            {isFiltered
              ? trans.__('Lines that match appear here as they come.')
              : trans.__('What your code prints or logs appears here as it comes.')}
          </p>
        </Empty>
      ) : (
        logs.error == null && <Busy label={trans.__('Reading the log')} />
      )}
    </div>
  );
}

async function download(page: IPage): Promise<void> {
  const { trans, model } = page;
  await withProgress({ during: trans.__('Collecting the log of %1', model.app) }, trans, async () => {
    const address = URL.createObjectURL(await model.logs.download());
    const link = document.createElement('a');
    link.href = address;
    link.download = `${model.app}.log`;
    link.click();
    // The browser has begun to read it by then.
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  });
}

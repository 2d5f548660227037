import { Button } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { AppView } from '../../api/types';
import { Busy } from '../../common/busy';
import { seconds } from '../../common/format';
import { ErrorNotice } from '../../common/notice';
import type { TranslationBundle } from '../../common/translation';
import { useSignal } from '../../common/useSignal';
import type { IPage } from '../page';
import { durationOf, optionsOf } from './model';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What is set without touching the code, and the end of the app. */
export function SettingsView(props: { page: IPage }): React.ReactElement {
  const { page } = props;
  const view = page.model.entry?.view;
  return (
    <div className="gf-Settings">
      {view && <Options page={page} view={view} />}
      {view && <Danger page={page} view={view} />}
    </div>
  );
}

function Options(props: { page: IPage; view: AppView }): React.ReactElement {
  const { page, view } = props;
  const { trans } = page;
  const model = page.model.settings;
  useSignal(model.changed);
  useSignal(model.limits.changed);
  const now = optionsOf(view);
  const { title, sleepAfter, workers, bodies } = { ...now, ...model.edits };
  const isChanged = Object.keys(model.edits).length > 0;
  const [isSaving, setSaving] = React.useState(false);
  const [error, setError] = React.useState<unknown>(null);
  const [attempt, setAttempt] = React.useState(0);

  const save = async () => {
    setSaving(true);
    setError(null);
    setAttempt(attempt + 1);
    try {
      await model.save(() => page.model.apps.refresh());
    } catch (problem) {
      setError(problem);
    } finally {
      setSaving(false);
    }
  };

  return (
    <form
      className="gf-Form gf-mod-plain"
      aria-label={trans.__('Settings')}
      onSubmit={event => {
        event.preventDefault();
        void save();
      }}
    >
      <label className="gf-Field">
        <span>{trans.__('Title')}</span>
        <input
          className="jp-mod-styled gf-Input"
          maxLength={100}
          value={title}
          onChange={event => model.edit({ title: event.target.value }, now)}
        />
        <small>
          {trans.__('What people call it, here and in link previews. Without one it is called %1.', view.id)}
        </small>
      </label>
      <label className="gf-Field">
        <span>{trans.__('Sleeps after')}</span>
        <select
          className="jp-mod-styled gf-Select"
          value={sleepAfter}
          onChange={event => model.edit({ sleepAfter: event.target.value }, now)}
        >
          {choices(now.sleepAfter, trans).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
        <small>
          {trans.__(
            'So long without a request, its processes end. The next request wakes it; none is refused.'
          )}
        </small>
      </label>
      <label className="gf-Field">
        <span>{trans.__('Workers')}</span>
        <select
          className="jp-mod-styled gf-Select"
          value={workers}
          onChange={event => model.edit({ workers: Number(event.target.value) }, now)}
        >
          {upTo(Math.max(model.limits.value?.max_workers ?? 1, workers)).map(number => (
            <option key={number} value={number}>
              {number}
            </option>
          ))}
        </select>
        <small>
          {trans.__(
            'Processes that serve the app side by side. Each has its own memory: what a request leaves in a variable, the next one may not find. They come and go without a pause.'
          )}
        </small>
      </label>
      <div className="gf-Field">
        <label className="gf-Check">
          <input
            type="checkbox"
            checked={bodies}
            onChange={event => model.edit({ bodies: event.target.checked }, now)}
          />
          <span>{trans.__('Keep the bodies of requests that fail')}</span>
        </label>
        <small>
          {trans.__(
            'So they can be sent again from the list of errors. Bodies may hold what people entered; they go after 24 hours.'
          )}
        </small>
      </div>
      <div className="gf-Bar">
        <Button type="submit" className="gf-Action gf-mod-primary" disabled={!isChanged || isSaving}>
          {trans.__('Save')}
        </Button>
      </div>
      {isSaving && <Busy label={trans.__('Saving')} />}
      {error != null && <ErrorNotice key={attempt} error={error} trans={trans} onRetry={() => void save()} />}
    </form>
  );
}

function Danger(props: { page: IPage; view: AppView }): React.ReactElement {
  const { page, view } = props;
  const { trans, actions } = page;
  return (
    <section className="gf-Danger" aria-label={trans.__('Danger zone')}>
      <h2 className="gf-Heading">{trans.__('Danger zone')}</h2>
      {view.version != null && (
        <div className="gf-Danger-row">
          {view.target === 'stopped' ? (
            <>
              <p>{trans.__('The app is stopped: its address answers nobody.')}</p>
              <Button className="gf-Action" onClick={() => void actions.start(view.id)}>
                {trans.__('Start')}
              </Button>
            </>
          ) : (
            <>
              <p>
                {trans.__(
                  'Stop the app: its address answers nobody until you start it again. All of it stays.'
                )}
              </p>
              <Button className="gf-Action gf-mod-danger" onClick={() => void actions.stop(view.id)}>
                {trans.__('Stop')}
              </Button>
            </>
          )}
        </div>
      )}
      <div className="gf-Danger-row">
        <p>
          {trans.__(
            'Delete the app. For some days it can be restored with its code, versions and variables.'
          )}
        </p>
        <Button className="gf-Action gf-mod-danger" onClick={() => void actions.remove(view.id)}>
          {trans.__('Delete')}
        </Button>
      </div>
    </section>
  );
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

function choices(now: string, trans: TranslationBundle): [string, string][] {
  const times = [15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 8 * HOUR, DAY, 7 * DAY];
  const known: [string, string][] = [
    ...times.map((time): [string, string] => [durationOf(time), seconds(time)]),
    ['never', trans.__('Never')]
  ];
  const current = known.some(([value]) => value === now)
    ? []
    : [[now, seconds(Number.parseFloat(now))] as [string, string]];
  return [...current, ...known, ['default', trans.__("The service's default")]];
}

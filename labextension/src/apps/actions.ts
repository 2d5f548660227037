import { Clipboard, InputDialog, Notification } from '@jupyterlab/apputils';

import { Client, data } from '../api/client';
import type { AppView, StageEvent } from '../api/types';
import { confirmByName } from '../common/ask';
import { Once } from '../common/once';
import { notifyError, notifyProblem, notifyUndo, withProgress } from '../common/notify';
import { seconds } from '../common/format';
import type { TranslationBundle } from '../common/translation';
import { AppsModel } from './model';
import { freeName } from './naming';

/** What a person may do to an app, with the words, questions and ways back that belong to it. */
export class AppActions {
  constructor(
    private readonly _apps: AppsModel,
    private readonly _trans: TranslationBundle
  ) {
    this._client = _apps.client;
  }

  /** Open an app in a new tab of the browser. One that sleeps wakes. */
  open(app: Pick<AppView, 'id' | 'url'>, path = ''): void {
    window.open(this._client.appUrl(app, path), '_blank', 'noopener');
  }

  copyUrl(app: Pick<AppView, 'id' | 'url'>): void {
    const url = this._client.appUrl(app);
    Clipboard.copyToSystem(url);
    Notification.success(this._trans.__('Copied %1', url), { autoClose: 3000 });
  }

  /** Bring a bundle, or where there is none the draft, live. Whether it came live; the person was told. */
  async deploy(app: string, body: Record<string, unknown> = {}): Promise<StageEvent | null> {
    return this._bring(app, 'deploy', body, last =>
      last.unchanged
        ? this._trans.__('%1 v%2 is live already: nothing changed', app, last.version)
        : this._trans.__('%1 v%2 is live after %3', app, last.version, seconds(last.seconds))
    );
  }

  async start(app: string): Promise<void> {
    await this._bring(app, 'start', undefined, () => this._trans.__('%1 is live', app));
  }

  async restart(app: string): Promise<void> {
    await this._bring(app, 'restart', undefined, () => this._trans.__('%1 was restarted', app));
  }

  stop(app: string): Promise<void> {
    const trans = this._trans;
    return this._once.do(`stop ${app}`, () =>
      this._undoable(
        { during: trans.__('Stopping %1 …', app), done: trans.__('%1 is stopped', app) },
        () => data(this._client.api.POST('/api/apps/{app_id}/stop', { params: { path: { app_id: app } } })),
        () => this.start(app)
      )
    );
  }

  async remove(app: string): Promise<void> {
    const trans = this._trans;
    const sure = await confirmByName({
      trans,
      title: trans.__('Delete %1?', app),
      body: trans.__(
        'It goes offline at once. For a week you can bring it back as it was, with its versions and secrets.'
      ),
      name: app,
      action: trans.__('Delete')
    });
    if (!sure) {
      return;
    }
    await this._undoable(
      { during: trans.__('Deleting %1 …', app), done: trans.__('%1 is deleted', app) },
      () =>
        data(
          this._client.api.DELETE('/api/apps/{app_id}', {
            params: { path: { app_id: app }, query: { confirm: app } }
          })
        ),
      () => this.restore(app)
    );
  }

  /** Bring a deleted app back. */
  async restore(app: string): Promise<void> {
    await this._bring(app, 'restore', undefined, () => this._trans.__('%1 is back', app));
  }

  async clone(app: string): Promise<void> {
    const trans = this._trans;
    const asked = await InputDialog.getText({
      title: trans.__('Clone %1', app),
      label: trans.__('The new app has the same code and variables. Its name:'),
      text: freeName(app, this._apps.names),
      okLabel: trans.__('Clone'),
      cancelLabel: trans.__('Cancel')
    });
    const to = asked.value?.trim();
    if (!asked.button.accept || !to) {
      return;
    }
    await this._clone(app, to);
  }

  private async _clone(app: string, to: string): Promise<void> {
    const trans = this._trans;
    const made = await withProgress(
      { during: trans.__('Cloning %1 …', app) },
      trans,
      () =>
        data(
          this._client.api.POST('/api/apps/{app_id}/clone', {
            params: { path: { app_id: app } },
            body: { to, source: 'draft' }
          })
        ),
      () => void this._clone(app, to)
    );
    if (made === undefined) {
      return;
    }
    void this._apps.refresh();
    const secrets = made.missing_secrets;
    const message = secrets.length
      ? trans.__(
          '%1 has the code of %2. Secrets do not come along; set first: %3',
          to,
          app,
          secrets.join(', ')
        )
      : trans.__('%1 has the code of %2, and is not deployed yet', to, app);
    Notification.success(message, {
      autoClose: secrets.length ? false : 15_000,
      actions: [{ label: trans.__('Deploy'), callback: () => void this.deploy(to), displayType: 'accent' }]
    });
  }

  /** Do what can be taken back; the way back is offered also where it worked at the second try. */
  private async _undoable(
    words: { during: string; done: string },
    task: () => Promise<unknown>,
    undo: () => Promise<unknown>
  ): Promise<void> {
    const trans = this._trans;
    const done = await withProgress(
      { during: words.during },
      trans,
      task,
      () => void this._undoable(words, task, undo)
    );
    if (done) {
      void this._apps.refresh();
      notifyUndo(words.done, trans, () => void undo());
    }
  }

  private _bring(...what: Parameters<AppActions['_brought']>): Promise<StageEvent | null> {
    const [app, verb] = what;
    return this._once.do(`${verb} ${app}`, () => this._brought(...what));
  }

  private async _brought(
    app: string,
    verb: 'deploy' | 'start' | 'restart' | 'restore',
    body: Record<string, unknown> | undefined,
    done: (last: StageEvent) => string
  ): Promise<StageEvent | null> {
    const trans = this._trans;
    const again = () => void this._bring(app, verb, body, done);
    try {
      const path = `/api/apps/${encodeURIComponent(app)}/${verb}`;
      const last = await this._apps.deploys.run(app, path, body === undefined ? {} : { body });
      void this._apps.refresh();
      if (last.stage === 'failed') {
        const problem = last.diagnostics?.find(each => each.severity === 'error') ?? last.diagnostics?.[0];
        const why = problem?.message ?? trans.__('it did not start');
        const message =
          verb === 'deploy'
            ? trans.__('%1 was not deployed: %2', app, why)
            : trans.__('%1 did not start: %2', app, why);
        notifyProblem(message, trans, again);
        return null;
      }
      const actions =
        last.stage === 'live' ? [{ label: trans.__('Open'), callback: () => this._openById(app, last) }] : [];
      Notification.success(done(last), { autoClose: 8000, actions });
      return last;
    } catch (error) {
      void this._apps.refresh();
      notifyError(error, trans, again);
      return null;
    }
  }

  private _openById(app: string, last: StageEvent): void {
    this.open({ id: app, url: last.url ?? this._apps.get(app)?.view.url ?? null });
  }

  private readonly _client: Client;
  private readonly _once = new Once();
}

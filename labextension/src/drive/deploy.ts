import { Notification } from '@jupyterlab/apputils';

import { messageOf } from '../api/errors';
import type { StageEvent } from '../api/types';
import { PATIENCE_MS } from '../common/busy';
import { seconds } from '../common/format';
import type { TranslationBundle } from '../common/translation';
import type { Deployments } from './deployments';
import type { OpenDocuments } from './documents';

/** Deploys for a person: saves first, shows how far it is, and says how it ended. */
export class Deployer {
  constructor(
    private readonly _documents: OpenDocuments,
    private readonly _deployments: Deployments,
    private readonly _trans: TranslationBundle,
    private readonly _go: { open: (app: string) => void; show: (app: string, end: StageEvent) => void }
  ) {}

  /** Answer how it ended; null where it did not come to an end, of which the person was told. */
  async deploy(app: string): Promise<StageEvent | null> {
    if (this._deployments.get(app)?.isRunning) {
      return null;
    }
    try {
      await this._documents.save(app);
    } catch {
      return null; // whoever could not save has said why
    }
    const progress = new Progress(app, this._deployments, this._trans);
    const again = () => void this.deploy(app);
    try {
      const end = await this._deployments.deploy(app);
      progress.end(this._endOf(app, end, again));
      return end;
    } catch (error) {
      const actions = [{ label: this._trans.__('Try again'), callback: again }];
      progress.end({ message: messageOf(error), type: 'error', autoClose: false, actions });
      return null;
    }
  }

  private _endOf(app: string, end: StageEvent, again: () => void): INotice {
    const trans = this._trans;
    if (end.stage === 'live') {
      const message = end.unchanged
        ? trans.__('%1 is up to date: version %2 is this code.', app, end.version)
        : trans.__('%1 v%2 is live.', app, end.version);
      const actions = [{ label: trans.__('Open'), callback: () => this._go.open(app) }];
      return { message, type: 'success', autoClose: 6000, actions };
    }
    const problem = end.diagnostics?.[0];
    const where = problem?.file && problem.line ? ` (${problem.file}:${problem.line})` : '';
    const why = problem ? `${problem.message}${where}` : trans.__('The service did not say why.');
    const actions = [{ label: trans.__('Try again'), callback: again }];
    if (problem?.file) {
      actions.unshift({ label: trans.__('Show'), callback: () => this._go.show(app, end) });
    }
    const message = trans.__('%1 was not deployed: %2', app, why);
    return { message, type: 'error', autoClose: false, actions };
  }
}

interface INotice {
  message: string;
  type: 'success' | 'error';
  autoClose: number | false;
  actions: Notification.IAction[];
}

/** A notice that follows a deploy, where it takes longer than a moment. */
class Progress {
  constructor(
    private readonly _app: string,
    private readonly _deployments: Deployments,
    private readonly _trans: TranslationBundle
  ) {
    this._timer = setTimeout(() => {
      this._shown = Notification.emit(this._words(), 'in-progress', { autoClose: false });
    }, PATIENCE_MS);
    _deployments.changed.connect(this._update, this);
  }

  /** Say how it ended, in the place of how far it is. */
  end({ message, type, ...options }: INotice): void {
    clearTimeout(this._timer);
    this._deployments.changed.disconnect(this._update, this);
    if (this._shown) {
      Notification.update({ id: this._shown, message, type, ...options });
    } else {
      Notification.emit(message, type, options);
    }
  }

  private _update(): void {
    if (this._shown && this._deployments.get(this._app)?.isRunning) {
      Notification.update({ id: this._shown, message: this._words(), type: 'in-progress' });
    }
  }

  private _words(): string {
    const over = this._deployments.get(this._app)?.stages.at(-1);
    return over && over.stage !== 'failed'
      ? this._trans.__('Deploying %1: %2 done in %3…', this._app, over.stage, seconds(over.seconds))
      : this._trans.__('Deploying %1…', this._app);
  }

  private _shown: string | null = null;
  private readonly _timer: ReturnType<typeof setTimeout>;
}

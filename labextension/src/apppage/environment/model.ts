import { ISignal, Signal } from '@lumino/signaling';

import { Client, data } from '../../api/client';
import type { DotenvVariable, EnvView, Setting, StageEvent, VariableView } from '../../api/types';
import type { Deploys } from '../../apps/deploys';
import { Resource } from '../../common/resource';
import { StageRun } from '../parts/stageRun';
import { RefreshedTab } from '../parts/tabModel';
import { EnvChanges } from './changes';

/** A variable of a `.env` file with what the person chose. */
export interface IImported extends DotenvVariable {
  isChosen: boolean;
  isSecret: boolean;
}

/** What is half entered in the forms of the tab. */
export interface IEntered {
  /** The form that is open. */
  readonly form: 'add' | 'import' | null;
  readonly name: string;
  readonly value: string;
  readonly isSecret: boolean;
  /** Of a `.env` file. */
  readonly text: string;
  /** What was found in that; null until it is read. */
  readonly found: ReadonlyArray<IImported> | null;
}

const NOTHING: IEntered = { form: null, name: '', value: '', isSecret: true, text: '', found: null };

/** An app's variables and secrets, and a batch of changes to them. */
export class EnvironmentModel extends RefreshedTab {
  constructor(
    readonly app: string,
    readonly client: Client,
    private readonly _deploys: Deploys
  ) {
    super();
    const params = { params: { path: { app_id: app } } };
    this.env = new Resource<EnvView>(() => data(client.api.GET('/api/apps/{app_id}/env', params)));
  }

  readonly env: Resource<EnvView>;
  readonly changes = new EnvChanges();
  readonly run = new StageRun();

  /** Emitted when the batch, or what is half entered, changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Kept while somebody looks at another tab. */
  get entered(): IEntered {
    return this._entered;
  }

  get variables(): ReadonlyArray<VariableView> {
    return this.env.value?.variables ?? [];
  }

  /** Secrets that came along from a clone by name only. */
  get missing(): string[] {
    return this.variables.filter(variable => variable.missing).map(variable => variable.name);
  }

  override refresh(): void {
    void this.env.refresh();
  }

  enter(change: Partial<IEntered>): void {
    this._entered = { ...this._entered, ...change };
    this._changed.emit();
  }

  /** Close the form that is open, and forget what was entered. */
  closeForm(): void {
    this.enter(NOTHING);
  }

  set(name: string, setting: Setting): void {
    this.changes.set(name, setting, this._current(name));
    this._changed.emit();
  }

  remove(name: string): void {
    this.changes.remove(name, this._current(name) !== undefined);
    this._changed.emit();
  }

  keep(name: string): void {
    this.changes.keep(name);
    this._changed.emit();
  }

  discard(): void {
    this.changes.clear();
    this.run.clear();
    this._changed.emit();
  }

  /** What the text of a `.env` file sets, with what it seems to be chosen as. */
  async read(text: string): Promise<IImported[]> {
    const found = await data(this.client.api.POST('/api/dotenv', { body: { text } }));
    return found.map(variable => ({
      ...variable,
      isChosen: !variable.problem,
      isSecret: variable.looks_secret || this._current(variable.name)?.secret === true
    }));
  }

  /** Put what was chosen of a `.env` file among the changes. */
  take(imported: ReadonlyArray<IImported>): void {
    for (const { name, value, isChosen, isSecret } of imported) {
      if (isChosen) {
        this.changes.set(name, { value, secret: isSecret }, this._current(name));
      }
    }
    this._changed.emit();
  }

  /**
   * Send all changes as one; the app restarts once, or nothing changed. Where that failed the changes stay, to be
   * mended.
   */
  async save(): Promise<StageEvent | undefined> {
    const body = this.changes.toChange();
    const end = await this.run.follow(
      this._deploys.stages(this.app, `/api/apps/${this.app}/env`, { method: 'PUT', body })
    );
    if (end && end.stage !== 'failed') {
      this.changes.clear();
    }
    await this.env.refresh();
    this._changed.emit();
    return end;
  }

  private _current(name: string): VariableView | undefined {
    return this.variables.find(variable => variable.name === name);
  }

  private _entered = NOTHING;
  private readonly _changed = new Signal<this, void>(this);
}

import { ISignal, Signal } from '@lumino/signaling';

import { Client, data } from '../../api/client';
import type { StageEvent, TreeDiff, VersionView } from '../../api/types';
import type { Deploys } from '../../apps/deploys';
import { Resource } from '../../common/resource';
import { StageRun } from '../parts/stageRun';
import { RefreshedTab } from '../parts/tabModel';
import { Files, filesOf } from './files';

/** One side of a comparison: a version, or the working copy. */
export type Side = number | 'draft';

export interface IComparison {
  diff: TreeDiff;
  old: Files;
  new: Files;
}

/** What is looked at beside the list of versions. */
export type Looking = { kind: 'files'; number: number } | { kind: 'changes'; from: number; to: Side };

/** An app's versions: what stands in them, how they differ, and back to one of them. */
export class HistoryModel extends RefreshedTab {
  constructor(
    readonly app: string,
    readonly client: Client,
    private readonly _deploys: Deploys
  ) {
    super();
    const params = { params: { path: { app_id: app } } };
    this.versions = new Resource(() => data(client.api.GET('/api/apps/{app_id}/versions', params)));
    this.files = new Resource(async () => {
      const looking = this._looking;
      return looking?.kind === 'files' ? this._filesOf(looking.number) : new Map();
    });
    this.comparison = new Resource(async () => {
      const looking = this._looking;
      return looking?.kind === 'changes' ? this._compare(looking.from, looking.to) : undefined;
    });
  }

  readonly versions: Resource<VersionView[]>;
  /** Of the version that is looked at. */
  readonly files: Resource<Files>;
  readonly comparison: Resource<IComparison | undefined>;
  readonly run = new StageRun();

  /** Null until the person chose something. */
  get looking(): Looking | null {
    return this._looking;
  }

  /** Emitted when something else is looked at. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The version that runs, or would. */
  get live(): number | undefined {
    return this.versions.value?.find(version => version.state === 'live')?.number;
  }

  override refresh(): void {
    void this.versions.refresh();
    // A draft changes; versions never do.
    if (this._looking?.kind === 'changes' && this._looking.to === 'draft') {
      void this.comparison.refresh();
    }
  }

  look(looking: Looking): void {
    this._looking = looking;
    void (looking.kind === 'files' ? this.files : this.comparison).refresh();
    this._changed.emit();
  }

  /** What changed in a version against the one before it; its files, where it is the first. */
  lookAt(number: number): void {
    const numbers = this.versions.value?.map(version => version.number) ?? [];
    const before = Math.max(...numbers.filter(each => each < number));
    this.look(
      Number.isFinite(before) ? { kind: 'changes', from: before, to: number } : { kind: 'files', number }
    );
  }

  /** Make a new version of an old one; undefined where that could not be asked for. */
  async rollBack(number: number): Promise<StageEvent | undefined> {
    this._goal = number;
    const end = await this.run.follow(
      this._deploys.stages(this.app, `/api/apps/${this.app}/rollback/${number}`)
    );
    await this.versions.refresh();
    return end;
  }

  /** Try the last rollback again. */
  async retry(): Promise<void> {
    if (this._goal !== undefined) {
      await this.rollBack(this._goal);
    }
  }

  private async _filesOf(side: Side): Promise<Files> {
    const path = { app_id: this.app };
    if (side === 'draft') {
      return filesOf(
        (await data(this.client.api.GET('/api/apps/{app_id}/draft', { params: { path } }))).bundle
      );
    }
    const params = { path: { ...path, number: side } };
    return filesOf(
      (await data(this.client.api.GET('/api/apps/{app_id}/versions/{number}', { params }))).bundle
    );
  }

  private async _compare(from: number, to: Side): Promise<IComparison> {
    const params = { path: { app_id: this.app, number: from }, query: { against: String(to) } };
    const [diff, old, after] = await Promise.all([
      data(this.client.api.GET('/api/apps/{app_id}/versions/{number}/diff', { params })),
      this._filesOf(from),
      this._filesOf(to)
    ]);
    return { diff, old, new: after };
  }

  private _goal: number | undefined = undefined;
  private _looking: Looking | null = null;
  private readonly _changed = new Signal<this, void>(this);
}

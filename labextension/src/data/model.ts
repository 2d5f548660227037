import { Client, data } from '../api/client';
import type { BackupsView, BranchView, DatabaseView, Event } from '../api/types';
import type { AppsModel } from '../apps/model';
import { PageModel } from '../common/pageModel';
import { Resource } from '../common/resource';
import type { TranslationBundle } from '../common/translation';
import { CollectionModel } from './collections/model';
import { Transfer } from './collections/transfer';
import { DataRun } from './run';

export const TABS = ['collections', 'credentials', 'backups', 'branches'] as const;
export type Tab = (typeof TABS)[number];

/** Sizes are looked at so often while somebody looks at them: apps write without an event. */
const LOOK_EVERY_MS = 10_000;
/** Several events come together; one look answers them all. */
const GATHER_MS = 100;
/** What is worth a notice of its own while the page is open. */
const NOTICED = new Set<Event['kind']>(['operation_ended', 'too_many_connections']);
/** After these it is another database. */
const REPLACING = new Set<Event['kind']>(['database_restored', 'branch_promoted']);
/** What may change what is shown. */
const TELLING =
  /^(data_changed|database_|backup_|backed_up|branch_|credentials_|operation_|too_many_connections)/;

export function isTab(name: unknown): name is Tab {
  return TABS.includes(name as Tab);
}

/** A person's database and its branches: which part is open, kept up to date while somebody looks at it. */
export class DataModel extends PageModel {
  constructor(
    readonly apps: AppsModel,
    readonly trans: TranslationBundle
  ) {
    super(() => apps.watch());
    this.transfer = new Transfer(this.client);
    this.branches.changed.connect(this._checkBranch, this);
  }

  readonly database = new Resource<DatabaseView>(() =>
    data(this.client.api.GET('/api/database', { params: { query: { branch: this.branch } } }))
  );
  readonly branches = new Resource<BranchView[]>(() => data(this.client.api.GET('/api/database/branches')));
  readonly backups = new Resource<BackupsView>(() => data(this.client.api.GET('/api/database/backups')));
  readonly transfer: Transfer;
  /** What goes on with the whole database: the service does one thing at a time. */
  readonly runs: Readonly<Record<Exclude<Tab, 'collections'>, DataRun>> = {
    credentials: new DataRun(),
    backups: new DataRun(),
    branches: new DataRun()
  };

  get client(): Client {
    return this.apps.client;
  }

  /** The branch that is shown; null for the data themselves. */
  get branch(): string | null {
    return this._branch;
  }

  /** Show a branch; null for the data themselves. */
  openBranch(branch: string | null): void {
    if (branch !== this._branch) {
      this._branch = branch;
      this._leaveCollection();
      this.database.clear();
      this._changed.emit();
      this._readIfLooking();
    }
  }

  get tab(): Tab {
    return this._tab;
  }

  openTab(tab: Tab): void {
    if (tab !== this._tab) {
      this._tab = tab;
      this._changed.emit();
      this._readIfLooking();
    }
  }

  /** The collection that is open; null where the list of them is shown. */
  get collection(): CollectionModel | null {
    return this._collection;
  }

  /** What happened to the database that somebody should know of; null where nothing did. */
  get notice(): Event | null {
    return this._notice;
  }

  /** Say that this happened; null for nothing any more. */
  tell(event: Event | null): void {
    this._notice = event;
    this._changed.emit();
  }

  /** Look into a collection; null for the list of all. */
  openCollection(name: string | null): void {
    if (name !== (this._collection?.name ?? null)) {
      this._leaveCollection();
      this._collection =
        name === null ? null : new CollectionModel(name, this.branch, this.client, this.trans);
      if (this._looking) {
        this._collection?.refresh();
      }
    }
    this._tab = 'collections';
    this._changed.emit();
  }

  async createCollection(name: string): Promise<void> {
    const params = { query: { branch: this.branch } };
    await data(this.client.api.POST('/api/database/collections', { params, body: { name } }));
    await this.database.refresh();
  }

  async dropCollection(name: string): Promise<void> {
    const params = { path: { collection: name }, query: { branch: this.branch, confirm: name } };
    await data(this.client.api.DELETE('/api/database/collections/{collection}', { params }));
    if (this._collection?.name === name) {
      this.openCollection(null);
    }
    await this.database.refresh();
  }

  /** Read again what is shown. */
  refresh(): void {
    void this.database.refresh();
    void this.branches.refresh();
    if (this._tab === 'backups') {
      void this.backups.refresh();
    }
    // Not under somebody's hands: pages of documents are read when they are asked for.
  }

  override dispose(): void {
    if (!this.isDisposed) {
      super.dispose();
      this.transfer.cancel();
      this._leaveCollection();
    }
  }

  protected look(signal: AbortSignal): void {
    this.refresh();
    this._collection?.refresh();
    this.apps.eventReceived.connect(this._onEvent, this);
    const timer = setInterval(() => void this.database.refresh(), LOOK_EVERY_MS);
    signal.addEventListener('abort', () => {
      clearInterval(timer);
      clearTimeout(this._gathering);
      this._gathering = undefined;
      this.apps.eventReceived.disconnect(this._onEvent, this);
    });
  }

  private _onEvent(_apps: AppsModel, event: Event): void {
    if (NOTICED.has(event.kind)) {
      this.tell(event);
    }
    this._isStale ||= REPLACING.has(event.kind) || this._isOfCollection(event);
    // Apps that start or stop are those that have it open.
    if (TELLING.test(event.kind) || event.app !== null) {
      this._gathering ??= setTimeout(() => {
        this._gathering = undefined;
        if (this._isStale) {
          this._isStale = false;
          this._collection?.refresh();
        }
        this.refresh();
      }, GATHER_MS);
    }
  }

  /** Whether somebody changed the collection that is open, maybe in another window or by an import. */
  private _isOfCollection({ kind, details }: Event): boolean {
    return (
      kind === 'data_changed' &&
      details?.collection === this._collection?.name &&
      (details?.branch ?? null) === this._branch
    );
  }

  private _readIfLooking(): void {
    if (this._looking) {
      this.refresh();
    }
  }

  private _leaveCollection(): void {
    this._collection?.dispose();
    this._collection = null;
  }

  /** A branch may go by itself, or be dropped by somebody else. */
  private _checkBranch(): void {
    const { branch } = this;
    if (branch !== null && this.branches.value?.every(each => each.name !== branch)) {
      this.openBranch(null);
    }
  }

  private _branch: string | null = null;
  private _tab: Tab = 'collections';
  private _collection: CollectionModel | null = null;
  private _notice: Event | null = null;
  /** Whether the documents that are shown may be others by now. */
  private _isStale = false;
  private _gathering: ReturnType<typeof setTimeout> | undefined;
}

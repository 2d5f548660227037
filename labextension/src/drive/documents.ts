import { ISignal, Signal } from '@lumino/signaling';

import type { AppsModel } from '../apps/model';
import type { OpenDocument } from './document';

/** The open documents of the drive, kept up to date while there are any. */
export class OpenDocuments {
  constructor(private readonly _apps: AppsModel) {
    _apps.changed.connect(this._onAppsChanged, this);
  }

  /** Emitted with an app when a document of it was opened or closed, or has changed. */
  get changed(): ISignal<this, string> {
    return this._changed;
  }

  /** Emitted with an app whose code was saved or deployed, here or elsewhere, and with one that is new or gone. */
  get codeChanged(): ISignal<this, string> {
    return this._codeChanged;
  }

  add(document: OpenDocument): void {
    this._documents.add(document);
    const watching = this._apps.watch();
    document.changed.connect(() => this._changed.emit(document.app));
    const { app } = document;
    document.context.disposed.connect(() => {
      this._documents.delete(document);
      watching.dispose();
      this._changed.emit(app);
    });
  }

  of(app: string): OpenDocument[] {
    return [...this._documents].filter(document => document.app === app);
  }

  isDirty(app: string): boolean {
    return this.of(app).some(document => document.isDirty);
  }

  /** Save what has changed. Throws where something could not be saved; the person was told. */
  async save(app: string): Promise<void> {
    for (const document of this.of(app)) {
      if (document.isDirty) {
        await document.context.save();
      }
    }
  }

  private _onAppsChanged(): void {
    const codes = new Map(
      this._apps.apps.map(({ view }) => [view.id, view.draft?.etag ?? view.code_hash ?? ''])
    );
    const isFirst = this._codes === null;
    const before = this._codes ?? new Map<string, string>();
    this._codes = codes;
    if (isFirst) {
      return;
    }
    for (const app of new Set([...before.keys(), ...codes.keys()])) {
      if (before.get(app) !== codes.get(app)) {
        this._codeChanged.emit(app);
        this.of(app).forEach(document => void document.check());
      }
    }
  }

  private _codes: ReadonlyMap<string, string> | null = null;
  private readonly _documents = new Set<OpenDocument>();
  private readonly _changed = new Signal<this, string>(this);
  private readonly _codeChanged = new Signal<this, string>(this);
}

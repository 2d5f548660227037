import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { ApiError } from '../api/errors';
import type { AppDrive } from './drive';
import type { Drafts } from './draft';
import { placeOf } from './paths';

/** How an open document is, compared with the file of the draft. */
export type Standing = 'same' | 'changed' | 'deleted';

/**
 * An open document of the drive, and what is known of its file.
 *
 * The etag its text is based on is the hash in its contents model; saves are over that one. Where the file was
 * changed by somebody else, a document without changes of its own shows the new text; one with changes keeps them,
 * and says so.
 */
export class OpenDocument implements IDisposable {
  constructor(
    readonly context: DocumentRegistry.Context,
    private readonly _drive: AppDrive,
    private readonly _drafts: Drafts
  ) {
    context.saveState.connect(this._onSaveState, this);
    context.model.stateChanged.connect(this._onStateChanged, this);
    context.fileChanged.connect(this._onFileChanged, this);
    context.pathChanged.connect(this._onPathChanged, this);
    context.disposed.connect(this.dispose, this);
  }

  get app(): string {
    return placeOf(this.context.path).app;
  }

  /** Its path below the app. */
  get path(): string {
    return placeOf(this.context.path).path;
  }

  get isDirty(): boolean {
    return this.context.model.dirty;
  }

  get standing(): Standing {
    return this._standing;
  }

  /** Emitted when it became dirty or clean, was saved, or its file was changed elsewhere. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    if (!this._disposed) {
      this._disposed = true;
      this._drive.saving.delete(this._localPath);
      Signal.clearData(this);
    }
  }

  /** Look at the file again. What cannot be read now is as it was. */
  async check(): Promise<void> {
    if (this._disposed || !this.context.isReady || this._drive.saving.has(this._localPath)) {
      return;
    }
    const place = this._localPath;
    const before = this.context.contentsModel?.hash;
    const found = await this._etag();
    const isStill = place === this._localPath && before === this.context.contentsModel?.hash;
    if (this._disposed || found === undefined || !isStill) {
      return;
    }
    if (found === null) {
      this._stand('deleted');
    } else if (found === before) {
      this._stand('same');
    } else if (this.isDirty) {
      this._stand('changed');
    } else {
      await this._reload();
    }
  }

  private get _localPath(): string {
    const { app, path } = placeOf(this.context.path);
    return `${app}/${path}`;
  }

  /** Of the file now; null where there is none, undefined where nobody can tell. */
  private async _etag(): Promise<string | null | undefined> {
    try {
      return (await this._drafts.file(this.app, this.path)).etag;
    } catch (error) {
      return error instanceof ApiError && error.status === 404 ? null : undefined;
    }
  }

  private async _reload(): Promise<void> {
    await this.context.revert();
    const { model } = this.context;
    // JupyterLab takes an empty file for one that has not come.
    const size = (await this._drafts.file(this.app, this.path)).file.text?.length;
    if (size === 0 && model.toString() !== '') {
      model.fromString('');
    }
    model.dirty = false;
    this._stand('same');
  }

  private _onSaveState(_: unknown, state: DocumentRegistry.SaveState): void {
    if (state === 'started') {
      this._saving = this._localPath;
      this._drive.saving.set(this._saving, { etag: this.context.contentsModel?.hash });
      return;
    }
    const text = this._drive.saving.get(this._saving)?.text;
    this._drive.saving.delete(this._saving);
    if (state === 'completed') {
      this._show(text);
      this._stand('same');
    }
  }

  /** What the person chose where there were two sides; undo brings theirs back. */
  private _show(text: string | null | undefined): void {
    const { model } = this.context;
    if (typeof text === 'string' && text !== model.toString()) {
      if (this.context.contentsModel?.type === 'notebook') {
        model.fromJSON(JSON.parse(text));
      } else {
        model.fromString(text);
      }
      model.dirty = false;
    }
  }

  private _onStateChanged(_: unknown, change: { name: string }): void {
    if (change.name === 'dirty') {
      this._changed.emit();
    }
  }

  private _onFileChanged(): void {
    this._stand('same');
  }

  private _onPathChanged(): void {
    // While it was being renamed it may have been looked for at its old place.
    this._stand('same');
    void this.check();
  }

  private _stand(standing: Standing): void {
    this._standing = standing;
    this._changed.emit();
  }

  private _disposed = false;
  private _saving = '';
  private _standing: Standing = 'same';
  private readonly _changed = new Signal<this, void>(this);
}

import { ISignal, Signal } from '@lumino/signaling';

import { data } from '../../api/client';
import { ApiError, messageOf } from '../../api/errors';
import type { DocumentView } from '../../api/types';
import {
  changes,
  isPlainObject,
  isSame,
  Json,
  JsonObject,
  merged,
  pretty,
  relaxed,
  roundedNumber
} from './ejson';
import type { CollectionModel } from './model';

const NEW_DOCUMENT = '{\n  \n}';
let nextId = 1;

/** Somebody else changed the document meanwhile: what is there now, and what it would be with this person's changes. */
export interface IConflict {
  /** Null where the document is gone. */
  theirs: DocumentView | null;
  /** Both in the relaxed form. */
  theirText: string;
  mineText: string;
}

/**
 * A document that is edited as relaxed JSON.
 *
 * What is saved are the fields that changed, of the version that was seen; what was not touched keeps its types.
 */
export class DocumentEditor {
  constructor(
    readonly collection: CollectionModel,
    /** As it was read; null for a new one. */
    seen: DocumentView | null
  ) {
    this._seen = seen;
    this._text = this._original = seen ? pretty(relaxed(seen.document as Json)) : NEW_DOCUMENT;
  }

  /** Tells it from every other one. */
  readonly id = nextId++;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get seen(): DocumentView | null {
    return this._seen;
  }

  get text(): string {
    return this._text;
  }

  set text(text: string) {
    if (text !== this._text) {
      this._text = text;
      this._error = null;
      this._changed.emit();
    }
  }

  /** Changes where another text is to be put in the editor. */
  get revision(): number {
    return this._revision;
  }

  get isDirty(): boolean {
    return this._text !== this._original;
  }

  get isSaving(): boolean {
    return this._saving;
  }

  /** Why it could not be saved; null where it could. */
  get error(): unknown {
    return this._error;
  }

  get conflict(): IConflict | null {
    return this._conflict;
  }

  /** Save it. Returns whether it is saved; `error` or `conflict` tell why not. */
  async save(): Promise<boolean> {
    if (this._saving) {
      return false;
    }
    this._saving = true;
    this._error = null;
    this._changed.emit();
    try {
      const sent = this._text;
      const edited = this._parse();
      this._take(
        this._seen ? await this._store(this._seen, edited) : await this.collection.insert(sent),
        sent
      );
      this.collection.refresh();
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.code === 'document_conflict' && this._seen) {
        this._setConflict((error.details.theirs as DocumentView | null | undefined) ?? null);
      } else {
        this._error = error;
      }
      return false;
    } finally {
      this._saving = false;
      this._changed.emit();
    }
  }

  /** The changes go on top of what is there now. */
  async keepMine(): Promise<boolean> {
    this.goOn();
    return this.save();
  }

  /** The changes are given up; what is there now is shown. */
  takeTheirs(): void {
    const theirs = this._conflict?.theirs;
    if (theirs) {
      this._take(theirs);
      this._changed.emit();
    } else {
      this.collection.close();
    }
    this.collection.refresh();
  }

  /** Back to the editor, with what is there now and the changes on top of it. */
  goOn(): void {
    const conflict = this._conflict;
    if (conflict) {
      this._conflict = null;
      this._seen = conflict.theirs;
      this._original = conflict.theirs ? conflict.theirText : NEW_DOCUMENT;
      this._text = conflict.mineText;
      this._revision += 1;
      this._changed.emit();
    }
  }

  dispose(): void {
    Signal.clearData(this);
  }

  private async _store(seen: DocumentView, edited: JsonObject): Promise<DocumentView> {
    const before = seen.document as JsonObject;
    const after = merged(before, edited) as JsonObject;
    if (isSame(before, after)) {
      return seen;
    }
    const { client, name, branch } = this.collection;
    const params = {
      path: { collection: name, key: seen.key },
      query: { branch, canonical: true }
    };
    const found = changes(before, after);
    const url = '/api/database/collections/{collection}/documents/{key}';
    const { version } = seen;
    return (await data(
      found
        ? client.api.PATCH(url, { params, body: { ...found, version } })
        : client.api.PUT(url, { params, body: { document: after, version } })
    )) as DocumentView;
  }

  private _setConflict(theirs: DocumentView | null): void {
    const before = this._seen?.document as JsonObject;
    const mine = merged(before, this._parse()) as JsonObject;
    const now = theirs?.document as JsonObject | undefined;
    this._conflict = {
      theirs,
      theirText: now ? pretty(relaxed(now)) : '',
      mineText: pretty(relaxed(now ? rebased(before, mine, now) : mine))
    };
  }

  /** What stands in the editor. Throws where it is no document, or would not be stored as it is written. */
  private _parse(): JsonObject {
    const { trans } = this.collection;
    let value: Json;
    try {
      value = JSON.parse(this._text) as Json;
    } catch (error) {
      throw new Error(trans.__('This is not JSON: %1', messageOf(error)));
    }
    if (!isPlainObject(value)) {
      throw new Error(trans.__('A document is an object, as in {"name": "Ann"}.'));
    }
    // A new document goes as the text it is.
    const rounded = this._seen && roundedNumber(this._text);
    if (rounded) {
      throw new Error(
        trans.__('The number %1 is too large to be kept exactly. Write it as {"$numberLong": "%1"}.', rounded)
      );
    }
    return value;
  }

  /** A document as it is stored now. Where somebody typed on since its text was `sent`, that stays. */
  private _take(view: DocumentView, sent = this._text): void {
    this._seen = view;
    this._conflict = null;
    this._error = null;
    this._original = pretty(relaxed(view.document as Json));
    if (this._text === sent && this._text !== this._original) {
      this._text = this._original;
      this._revision += 1;
    }
  }

  private _seen: DocumentView | null;
  private _text: string;
  private _original: string;
  private _revision = 0;
  private _saving = false;
  private _error: unknown = null;
  private _conflict: IConflict | null = null;
  private readonly _changed = new Signal<this, void>(this);
}

/** What was changed from `before` to `mine`, done to `theirs`: field by field, as deep as objects go. */
export function rebased(before: JsonObject, mine: JsonObject, theirs: JsonObject): JsonObject {
  const result = new Map(Object.entries(theirs));
  for (const name of new Set([...Object.keys(before), ...Object.keys(mine)])) {
    if (isSame(before[name], mine[name])) {
      continue;
    }
    const parts = [before[name], mine[name], theirs[name]];
    if (!Object.hasOwn(mine, name)) {
      result.delete(name);
    } else if (parts.every(isPlainObject)) {
      const [was, wanted, now] = parts as JsonObject[];
      result.set(name, rebased(was, wanted, now));
    } else {
      result.set(name, mine[name]);
    }
  }
  return Object.fromEntries(result);
}

import { ISignal, Signal } from '@lumino/signaling';

import { Client, data } from '../../api/client';
import type { DeletedDocument, DocumentPage, DocumentView, Explanation, IndexCreate } from '../../api/types';
import { Resource } from '../../common/resource';
import type { TranslationBundle } from '../../common/translation';
import { DocumentEditor } from './editing';
import { asked, EVERYTHING, IAsked, IQuery, QueryError, search } from './query';

export const PAGE_SIZE = 20;

export type CollectionTab = 'documents' | 'indexes';

/** One collection that is looked into: a query, one page of its answer, and a document that is open. */
export class CollectionModel {
  constructor(
    readonly name: string,
    readonly branch: string | null,
    readonly client: Client,
    readonly trans: TranslationBundle
  ) {}

  /** The documents of the page that is shown. */
  readonly page = new Resource<DocumentPage>(() => this._readPage());

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get tab(): CollectionTab {
    return this._tab;
  }

  openTab(tab: CollectionTab): void {
    this._tab = tab;
    this._changed.emit();
  }

  /** The query as it was run last. */
  get query(): Readonly<IQuery> {
    return this._query;
  }

  /** What is wrong with the query that was to be run; null where nothing is. */
  get queryError(): QueryError | null {
    return this._queryError;
  }

  /** How MongoDB finds what was asked last; null until somebody wants to know. */
  get explanation(): Resource<Explanation> | null {
    return this._explanation;
  }

  /** The document that is open; null where none is. */
  get editor(): DocumentEditor | null {
    return this._editor;
  }

  /** Which page is shown, from 1. */
  get pageNumber(): number {
    return this._cursors.length + 1;
  }

  get hasNext(): boolean {
    return Boolean(this.page.value?.next);
  }

  /** Ask another question, from its first page. */
  run(query: IQuery): boolean {
    try {
      this._asked = asked(query, this.trans);
    } catch (error) {
      this._queryError = error as QueryError;
      this._changed.emit();
      return false;
    }
    this._query = { ...query };
    this._queryError = null;
    this._explanation = null;
    this._cursors = [];
    this._changed.emit();
    void this.page.refresh();
    return true;
  }

  /** How MongoDB finds what this query asks for. */
  explain(query: IQuery): void {
    if (this.run(query)) {
      const { filter = '{}', sort = '{}', projection = '{}' } = this._asked;
      // As texts: numbers stay as they were typed.
      const body = `{"filter": ${filter}, "sort": ${sort}, "projection": ${projection}}`;
      this._explanation = new Resource<Explanation>(() => this._send('POST', 'explain', body));
      void this._explanation.refresh();
      this._changed.emit();
    }
  }

  hideExplanation(): void {
    this._explanation = null;
    this._changed.emit();
  }

  next(): void {
    const { next } = this.page.value ?? {};
    // Not twice, where somebody asks again before the page is there.
    if (next && next !== this._cursors.at(-1)) {
      this._cursors.push(next);
      void this.page.refresh();
    }
  }

  previous(): void {
    if (this._cursors.pop() !== undefined) {
      void this.page.refresh();
    }
  }

  refresh(): void {
    void this.page.refresh();
  }

  /** Open a document, read anew and whole; without a key, a new one. */
  async open(key?: string): Promise<void> {
    const seen = key === undefined ? null : await this.read(key);
    this._editor?.dispose();
    this._editor = new DocumentEditor(this, seen);
    this._changed.emit();
  }

  close(): void {
    this._editor?.dispose();
    this._editor = null;
    this._changed.emit();
  }

  read(key: string): Promise<DocumentView> {
    return data(
      this.client.api.GET('/api/database/collections/{collection}/documents/{key}', this._one(key))
    ) as Promise<DocumentView>;
  }

  /** Store a new document; a text, so that its numbers stay as they were typed. */
  insert(text: string): Promise<DocumentView> {
    return this._send('POST', 'documents', `{"document": ${text}}`, { canonical: 'true' });
  }

  async delete(document: DocumentView): Promise<DeletedDocument> {
    const { path, query } = this._one(document.key).params;
    const deleted = await data(
      this.client.api.DELETE('/api/database/collections/{collection}/documents/{key}', {
        params: { path, query: { branch: query.branch, version: document.version } }
      })
    );
    if (this._editor?.seen?.key === document.key) {
      this.close();
    }
    this.refresh();
    return deleted as DeletedDocument;
  }

  async undo(token: string): Promise<void> {
    await data(this.client.api.POST('/api/database/undo/{token}', { params: { path: { token } } }));
    this.refresh();
  }

  async createIndex(index: IndexCreate): Promise<void> {
    await data(
      this.client.api.POST('/api/database/collections/{collection}/indexes', {
        params: { path: { collection: this.name }, query: { branch: this.branch } },
        body: index
      })
    );
  }

  async dropIndex(index: string): Promise<void> {
    await data(
      this.client.api.DELETE('/api/database/collections/{collection}/indexes/{index}', {
        params: { path: { collection: this.name, index }, query: { branch: this.branch } }
      })
    );
  }

  /** Where the documents of the query are downloaded from. */
  exportUrl(format: 'jsonl' | 'csv'): string {
    return this.client.url(this.path('export', { format, ...this._asked }));
  }

  /** The address in the API of something of this collection. */
  path(what: string, query: Record<string, string | undefined> = {}): string {
    const name = encodeURIComponent(this.name);
    return `/api/database/collections/${name}/${what}${search({ ...query, branch: this.branch })}`;
  }

  dispose(): void {
    this._editor?.dispose();
    Signal.clearData(this);
  }

  private async _readPage(): Promise<DocumentPage> {
    const query = { ...this._asked, branch: this.branch, canonical: true, limit: PAGE_SIZE };
    return data(
      this.client.api.GET('/api/database/collections/{collection}/documents', {
        params: { path: { collection: this.name }, query: { ...query, after: this._cursors.at(-1) } }
      })
    ) as Promise<DocumentPage>;
  }

  private _one(key: string) {
    return {
      params: { path: { collection: this.name, key }, query: { branch: this.branch, canonical: true } }
    };
  }

  private async _send<T>(
    method: string,
    what: string,
    body: string,
    query: Record<string, string> = {}
  ): Promise<T> {
    const headers = { 'Content-Type': 'application/json' };
    const response = await this.client.request(this.path(what, query), { method, body, headers });
    return (await response.json()) as T;
  }

  private _tab: CollectionTab = 'documents';
  private _query: IQuery = { ...EVERYTHING };
  private _asked: IAsked = {};
  private _queryError: QueryError | null = null;
  private _explanation: Resource<Explanation> | null = null;
  private _editor: DocumentEditor | null = null;
  private _cursors: string[] = [];
  private readonly _changed = new Signal<this, void>(this);
}

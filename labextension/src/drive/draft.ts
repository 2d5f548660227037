import { URLExt } from '@jupyterlab/coreutils';

import { type Client, data } from '../api/client';
import { ApiError } from '../api/errors';
import type { AppView, BundleFile, DraftFileView, DraftSave, DraftView } from '../api/types';
import { base64Of } from './content';
import { withFiles } from './tree';

/**
 * Drafts over the API. What was read is named by its etag; where that is not what is there any more, nothing is
 * overwritten and an `ApiError` with the code `draft_conflict` is thrown.
 */
export class Drafts {
  constructor(readonly client: Client) {}

  apps(): Promise<AppView[]> {
    return data(this.client.api.GET('/api/apps'));
  }

  /** The latest code of an app; null where it has none yet. Throws where there is no such app. */
  async read(app: string): Promise<DraftView | null> {
    try {
      return await data(
        this.client.api.GET('/api/apps/{app_id}/draft', { params: { path: { app_id: app } } })
      );
    } catch (error) {
      if (error instanceof ApiError && error.status === 404 && (await this.exists(app))) {
        return null;
      }
      throw error;
    }
  }

  async exists(app: string): Promise<boolean> {
    try {
      await data(this.client.api.GET('/api/apps/{app_id}', { params: { path: { app_id: app } } }));
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) {
        return false;
      }
      throw error;
    }
  }

  /** Make an app without code. Throws in the service's words where the name cannot be one. */
  async create(app: string): Promise<void> {
    await this.save(app, { bundle: { main: 'main.py', files: {} } }, null);
  }

  async save(app: string, draft: DraftSave, etag: string | null): Promise<DraftView> {
    const response = await this.client.request(`/api/apps/${encodeURIComponent(app)}/draft`, {
      method: 'PUT',
      body: draft,
      headers: ifMatch(etag)
    });
    return (await response.json()) as DraftView;
  }

  /** Change several files at once: all of it is saved, or nothing. */
  async edit(
    app: string,
    change: (files: Record<string, BundleFile>) => Record<string, BundleFile>
  ): Promise<DraftView> {
    const view = await this.read(app);
    if (view === null) {
      return this.save(app, { bundle: { main: 'main.py', files: change({}) } }, null);
    }
    return this.save(app, withFiles(view, change(view.bundle.files)), view.etag);
  }

  async file(app: string, path: string): Promise<DraftFileView> {
    return (await (await this.client.request(fileUrl(app, path))).json()) as DraftFileView;
  }

  /** `etag` is the file's own; null where it is to be a new file. */
  async saveFile(app: string, path: string, file: BundleFile, etag: string | null): Promise<DraftFileView> {
    const response = await this.client.request(fileUrl(app, path), {
      method: 'PUT',
      body: { file },
      headers: ifMatch(etag)
    });
    return (await response.json()) as DraftFileView;
  }

  async deleteFile(app: string, path: string, etag: string): Promise<void> {
    await this.client.request(fileUrl(app, path), { method: 'DELETE', headers: ifMatch(etag) });
  }

  async move(app: string, source: string, target: string): Promise<DraftView> {
    return data(
      this.client.api.POST('/api/apps/{app_id}/draft/move', {
        params: { path: { app_id: app } },
        body: { source, target }
      })
    );
  }

  /** The file with its content in it, also where that is stored apart. */
  async whole(app: string, path: string, file: BundleFile): Promise<BundleFile> {
    if (!file.blob) {
      return file;
    }
    const response = await this.client.request(contentUrl(app, path));
    return { base64: base64Of(new Uint8Array(await response.arrayBuffer())), blob_bytes: 0 };
  }

  /** Where to download a file from. */
  contentUrl(app: string, path: string): string {
    return this.client.url(contentUrl(app, path));
  }

  /** Throws, in words, where a file of so many bytes is more than the service takes. */
  async checkSize(path: string, bytes: number): Promise<void> {
    this._limit ??= data(this.client.api.GET('/api/limits')).then(limits => limits.max_file_bytes);
    const limit = await this._limit.catch(error => {
      this._limit = null;
      throw error;
    });
    if (bytes > limit) {
      const most = `${(limit / 1e6).toFixed(1)} MB`;
      const advice = 'Read large data from the database or download it when the app starts.';
      throw new ApiError(`${path} is too large: a file may have ${most}. ${advice}`, 'too_large', 413);
    }
  }

  private _limit: Promise<number> | null = null;
}

function fileUrl(app: string, path: string): string {
  return `/api/apps/${encodeURIComponent(app)}/draft/files/${URLExt.encodeParts(path)}`;
}

function contentUrl(app: string, path: string): string {
  return `/api/apps/${encodeURIComponent(app)}/draft/content/${URLExt.encodeParts(path)}`;
}

function ifMatch(etag: string | null): Record<string, string> {
  return etag === null ? {} : { 'If-Match': etag === '*' ? etag : `"${etag}"` };
}

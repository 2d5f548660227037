import type { Contents } from '@jupyterlab/services';

import { ApiError } from '../api/errors';
import type { BundleFile } from '../api/types';

/** The content of a file as the API takes it: text where it is UTF-8, else base64. */
export function fileOf(options: Partial<Contents.IModel>): BundleFile {
  const { content, format } = options;
  if (format === 'base64') {
    return fileOfBytes(bytesOf(String(content ?? '')));
  }
  if (format === 'json' || typeof content === 'object') {
    // As Jupyter writes notebooks.
    return textFile(`${JSON.stringify(content ?? {}, null, 1)}\n`);
  }
  return textFile(String(content ?? ''));
}

export function textFile(text: string): BundleFile {
  return { text, blob_bytes: 0 };
}

/** The file of these bytes. */
export function fileOfBytes(bytes: Uint8Array): BundleFile {
  try {
    return textFile(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return { base64: base64Of(bytes), blob_bytes: 0 };
  }
}

/** Its size, in bytes. */
export function sizeOf(file: BundleFile): number {
  if (file.blob) {
    return file.blob_bytes;
  }
  if (typeof file.text === 'string') {
    return new TextEncoder().encode(file.text).length;
  }
  const base64 = file.base64 ?? '';
  return (base64.length / 4) * 3 - (base64.match(/=*$/)?.[0].length ?? 0);
}

/** The content in the form a document wants. Throws an `ApiError` where it has none of that form. */
export function contentOf(
  path: string,
  file: BundleFile,
  wanted: { type?: string; format?: Contents.FileFormat }
): Pick<Contents.IModel, 'type' | 'format' | 'content'> {
  const isJson = wanted.type === 'notebook' || wanted.format === 'json';
  if (wanted.format === 'base64' || (!wanted.format && !isJson && typeof file.text !== 'string')) {
    const base64 = file.base64 ?? base64Of(new TextEncoder().encode(file.text ?? ''));
    return { type: 'file', format: 'base64', content: base64 };
  }
  if (typeof file.text !== 'string') {
    throw new ApiError(
      `${path} is no text, so it cannot be edited. Download it to look at it.`,
      'no_text',
      400
    );
  }
  if (!isJson) {
    return { type: 'file', format: 'text', content: file.text };
  }
  try {
    return { type: wanted.type ?? 'file', format: 'json', content: JSON.parse(file.text) };
  } catch {
    const advice = 'Open it with the text editor to mend it.';
    throw new ApiError(
      `${path} is no ${wanted.type ?? 'JSON'}: it cannot be read. ${advice}`,
      'no_json',
      400
    );
  }
}

export function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}

export function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), character => character.charCodeAt(0));
}

/** Parts of large uploads, kept until the last one has come. */
export class Uploads {
  /** Past so many bytes an upload is refused, with these words. */
  constructor(private readonly _check: (path: string, bytes: number) => Promise<void>) {}

  /**
   * Take one part: `chunk` counts from 1, the last one is -1. The whole content with the last part, else null.
   * Throws what the check throws; nothing of the upload is kept then.
   */
  async add(path: string, base64: string, chunk: number): Promise<Uint8Array | null> {
    const parts = chunk === 1 ? [] : (this._parts.get(path) ?? []);
    parts.push(bytesOf(base64));
    this._parts.set(path, parts);
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    try {
      await this._check(path, size);
    } catch (error) {
      this._parts.delete(path);
      throw error;
    }
    if (chunk !== -1) {
      return null;
    }
    this._parts.delete(path);
    const whole = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  private readonly _parts = new Map<string, Uint8Array[]>();
}

import { Token } from '@lumino/coreutils';

import type { Client } from './api/client';
import type { AppsModel } from './apps/model';

/** The extension's id, and the prefix of the ids of its plugins. */
export const ID = 'gofastapi';

/** The client of the platform's API. */
export const IClient = new Token<Client>(`${ID}:IClient`, 'The client of the GoFastAPI service.');
export type IClient = Client;

/** The one model of all apps, which every view shares. */
export const IApps = new Token<AppsModel>(`${ID}:IApps`, 'The apps of the person, kept up to date.');
export type IApps = AppsModel;

/** Short names for what travels over the API; the shapes are generated from its OpenAPI document. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type AppView = Schemas['AppView'];
export type AppNumbers = Schemas['AppNumbers'];
export type CellCode = Schemas['CellCode'];
export type Diagnostic = Schemas['Diagnostic'];
export type ErrorView = Schemas['ErrorView'];
export type Event = Schemas['Event'];
export type EventKind = Schemas['EventKind'];
export type HealthColor = Schemas['HealthColor'];
export type LogLine = Schemas['LogLine'];
export type StageEvent = Schemas['StageEvent'];
export type State = Schemas['State'];
export type VersionView = Schemas['VersionView'];

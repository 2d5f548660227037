/** Short names for what travels over the API; the shapes are generated from its OpenAPI document. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type Answer = Schemas['Answer'];
export type AppChange = Schemas['AppChange'];
export type AppView = Schemas['AppView'];
export type AppNumbers = Schemas['AppNumbers'];
export type CellCode = Schemas['CellCode'];
export type DeploymentView = Schemas['DeploymentView'];
export type BundleFile = Schemas['BundleFile'];
export type Diagnostic = Schemas['Diagnostic'];
export type DotenvVariable = Schemas['DotenvVariable'];
export type DraftFileView = Schemas['DraftFileView'];
export type DraftSave = Schemas['DraftSave'];
export type DraftView = Schemas['DraftView'];
export type EnvChange = Schemas['EnvChange'];
export type EnvView = Schemas['EnvView'];
export type ErrorView = Schemas['ErrorView'];
export type Event = Schemas['Event'];
export type EventKind = Schemas['EventKind'];
export type HealthColor = Schemas['HealthColor'];
export type LogLevel = Schemas['LogLevel'];
export type LogLine = Schemas['LogLine'];
export type MetricsView = Schemas['MetricsView'];
export type ReplayRequest = Schemas['ReplayRequest'];
export type ReplayView = Schemas['ReplayView'];
export type RouteNumbers = Schemas['RouteNumbers'];
export type Setting = Schemas['Setting'];
export type Stage = Schemas['Stage'];
export type StageEvent = Schemas['StageEvent'];
export type State = Schemas['State'];
export type Template = Schemas['Template'];
export type TreeDiff = Schemas['TreeDiff'];
export type VariableView = Schemas['VariableView'];
export type VersionContent = Schemas['VersionContent'];
export type VersionView = Schemas['VersionView'];

import { caretDownIcon, caretUpIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { RouteNumbers } from '../../api/types';
import { count, milliseconds } from '../../common/format';
import type { TranslationBundle } from '../../common/translation';
import { RouteKey, sortedRoutes } from './figures';

/** The figures by route, to be sorted by any of them. */
export function Routes(props: { routes: RouteNumbers[]; trans: TranslationBundle }): React.ReactElement {
  const { routes, trans } = props;
  const [key, setKey] = React.useState<RouteKey>('requests');
  const [isDescending, setDescending] = React.useState(true);
  const columns: [RouteKey, string][] = [
    ['route', trans.__('Route')],
    ['requests', trans.__('Requests')],
    ['client_errors', trans.__('Client errors')],
    ['server_errors', trans.__('Server errors')],
    ['p50_ms', trans.__('Median')],
    ['p95_ms', trans.__('95 of 100')],
    ['p99_ms', trans.__('99 of 100')]
  ];
  const sortBy = (column: RouteKey) => {
    setDescending(column === key ? !isDescending : column !== 'route');
    setKey(column);
  };
  const latency = (value?: number | null) => (value == null ? '–' : milliseconds(value));
  if (routes.length === 0) {
    return (
      <section>
        <h2 className="gf-Heading">{trans.__('By route')}</h2>
        <p className="gf-Quiet">
          {trans.__('Nobody has asked anything yet. Open the app, and its routes appear here.')}
        </p>
      </section>
    );
  }
  const Caret = isDescending ? caretDownIcon : caretUpIcon;
  return (
    <section>
      <h2 className="gf-Heading">{trans.__('By route')}</h2>
      <div className="gf-Scroll" tabIndex={0} role="region" aria-label={trans.__('Figures by route')}>
        <table className="gf-Table">
          <thead>
            <tr>
              {columns.map(([column, label]) => (
                <th
                  key={column}
                  scope="col"
                  className={column === 'route' ? undefined : 'gf-mod-number'}
                  aria-sort={column !== key ? undefined : isDescending ? 'descending' : 'ascending'}
                >
                  <button type="button" className="gf-Table-sort" onClick={() => sortBy(column)}>
                    {label}
                    {column === key && <Caret.react tag="span" className="gf-Table-caret" />}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sortedRoutes(routes, key, isDescending).map(route => (
              <tr key={`${route.method} ${route.route}`}>
                <th scope="row">
                  <span className="gf-Method">{route.method}</span> <code>{route.route}</code>
                </th>
                <td className="gf-mod-number">{count(route.requests)}</td>
                <td className={`gf-mod-number ${route.client_errors ? 'gf-mod-fair' : ''}`}>
                  {count(route.client_errors)}
                </td>
                <td className={`gf-mod-number ${route.server_errors ? 'gf-mod-bad' : ''}`}>
                  {count(route.server_errors)}
                </td>
                <td className="gf-mod-number">{latency(route.p50_ms)}</td>
                <td className="gf-mod-number">{latency(route.p95_ms)}</td>
                <td className="gf-mod-number">{latency(route.p99_ms)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

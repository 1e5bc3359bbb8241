// /api/v1/alertmanagers: where alerts go.

import { type ApiCall, type ApiRoute, GET, listJson, objectJson, sendData } from './call.js';

export const alertmanagerRoutes: readonly ApiRoute[] = [
  { pattern: '/alertmanagers', methods: GET, handler: alertmanagers },
];

async function alertmanagers(call: ApiCall): Promise<void> {
  const { active, dropped } = call.deps.alertmanagers();
  const urls = (list: readonly string[]) => listJson(list.map((url) => objectJson([['url', JSON.stringify(url)]])));
  await sendData(
    call,
    objectJson([
      ['activeAlertmanagers', urls(active)],
      ['droppedAlertmanagers', urls(dropped)],
    ]),
  );
}

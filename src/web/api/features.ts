// /api/v1/features: what this server can do, and whether it is on.

import { type ApiCall, type ApiRoute, GET, objectJson, sendData } from './call.js';

export const featureRoutes: readonly ApiRoute[] = [{ pattern: '/features', methods: GET, handler: features }];

async function features(call: ApiCall): Promise<void> {
  const areas = [...call.deps.status.features()].map(([area, ofArea]) => {
    const sorted = [...ofArea].sort(([a], [b]) => (a < b ? -1 : 1));
    return [area, objectJson(sorted.map(([name, isOn]) => [name, String(isOn)] as const))] as const;
  });
  await sendData(call, objectJson(areas));
}

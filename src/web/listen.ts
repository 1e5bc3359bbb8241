// Which engine serves: uWebSockets where its native binary loads and nobody asks for TLS, else node:http.

import { type Door, type DoorOptions, type HttpEngine, NODE_HEAD_BYTES_MAX, UWS_HEAD_BYTES_MAX } from './door.js';
import { openNodeDoor } from './node-server.js';
import { loadUws, openUwsDoor } from './server.js';

/** `auto` is uWebSockets where it loads. */
export type EngineChoice = HttpEngine | 'auto';

/** Opens the door and tells `log` which engine it got and what that means. */
export async function openDoor(
  choice: EngineChoice,
  options: DoorOptions,
  log: (message: string, facts: Readonly<Record<string, string | number>>) => void,
): Promise<Door> {
  const needsNode = choice === 'node' || options.tls !== undefined;
  const uws = needsNode ? undefined : await loadUws();
  if (choice === 'uws' && !needsNode && uws === undefined)
    throw new Error('uWebSockets has no native binary for this platform');
  if (uws === undefined) {
    const door = await openNodeDoor(options);
    const why =
      choice === 'node'
        ? 'asked for by flag'
        : needsNode
          ? 'TLS as the web configuration file asks for it is beyond uWebSockets'
          : 'uWebSockets has no native binary for this platform';
    log('HTTP engine is node:http', { why, head_bytes_max: NODE_HEAD_BYTES_MAX, port: door.port });
    return door;
  }
  const door = await openUwsDoor(uws, options);
  log(
    'HTTP engine is uWebSockets; longer request lines and headers than this are dropped unanswered: ' +
      'POST the parameters, or start with --web.http-engine=node',
    { head_bytes_max: UWS_HEAD_BYTES_MAX, port: door.port },
  );
  return door;
}

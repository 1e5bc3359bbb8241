// The commands of `narthex check`: they look at files, pages and servers, and say whether they would do, in the words of
// `promtool check`.

import type { Command } from '../tool/command.js';
import { config } from './config.js';
import { metrics } from './metrics.js';
import { rules } from './rules.js';
import { healthy, ready } from './server-status.js';
import { serviceDiscovery } from './service-discovery.js';
import { webConfig } from './web-config.js';

export const checkCommands: readonly Command[] = [config, rules, metrics, webConfig, serviceDiscovery, healthy, ready];

// Where alerts go: Alertmanagers, and the rules applied to alerts on their way.

import { list, oneOf, string, type ValueOf } from './codec.js';
import { anything } from './data.js';
import { checkStaticTargets, discoveryFields, staticConfigs } from './discovery.js';
import { ConfigError } from './error.js';
import { finishHttpClient, httpClientFields } from './http-client.js';
import { checkRules, relabelRules } from './relabel-rules.js';
import { type Fields, field, optional, struct } from './struct.js';
import { duration } from './values.js';

const ALERT_RULE_NULL = 'empty or null alert relabeling rule';

const alertmanager = struct(
  'config.plain',
  {
    ...httpClientFields(),
    sigv4: optional('sigv4', anything),
    scheme: field('scheme', string, 'http'),
    pathPrefix: field('path_prefix', string, ''),
    timeoutMs: field('timeout', duration, 10_000),
    apiVersion: field(
      'api_version',
      oneOf(['v2'], (given) => `expected Alertmanager api version to be one of [v2] but got ${given}`),
      'v2',
    ),
    staticConfigs: field('static_configs', staticConfigs, []),
    ...discoveryFields,
    relabelConfigs: field('relabel_configs', relabelRules('empty or null Alertmanager target relabeling rule'), []),
    alertRelabelConfigs: field(
      'alert_relabel_configs',
      relabelRules('empty or null Alertmanager alert relabeling rule'),
      [],
    ),
  } satisfies Fields,
  (given) => {
    if (given.relabelConfigs.length === 0) checkStaticTargets(given.staticConfigs);
    if (given.sigv4 !== undefined && (given.basicAuth ?? given.authorization ?? given.oauth2) !== undefined) {
      throw new ConfigError('at most one of basic_auth, authorization, oauth2, & sigv4 must be configured');
    }
    checkRules(given.relabelConfigs, 'utf8');
    checkRules(given.alertRelabelConfigs, 'utf8');
    return finishHttpClient(given);
  },
);
export type AlertmanagerConfig = ValueOf<typeof alertmanager>;

export const alertingSection = struct(
  'config.plain',
  {
    alertRelabelConfigs: field('alert_relabel_configs', relabelRules(ALERT_RULE_NULL), []),
    alertmanagers: field('alertmanagers', list(alertmanager), []),
  },
  (given) => {
    checkRules(given.alertRelabelConfigs, 'utf8');
    return given;
  },
);
export type AlertingConfig = ValueOf<typeof alertingSection>;

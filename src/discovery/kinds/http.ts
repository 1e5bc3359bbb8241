// http_sd: a server that answers with a list of target groups in JSON.
//
//   GET <url>    X-Prometheus-Refresh-Interval-Seconds: 60
//
// Only 200 with the type application/json counts. Source of a group: `<url>:<index>`.

import type { SectionOf } from '../../config/discovery-keys.js';
import { mergeLabels } from '../../model/labels.js';
import { quote } from '../../model/quote.js';
import type { SourcedGroup } from '../group.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import { parseJsonList } from '../target-list.js';

const JSON_TYPE = /^application\/json(?:;\s*charset=(?:"utf-8"|utf-8))?$/i;

export function discoverHttp(section: SectionOf<'http'>, session: Session): Promise<void> {
  const { url, refreshIntervalMs } = section;
  const asker = session.asker(section, refreshIntervalMs);
  const headers = [['X-Prometheus-Refresh-Interval-Seconds', String(refreshIntervalMs / 1000)]] as const;

  async function list(): Promise<SourcedGroup[]> {
    const { status, statusText, headers: answered, text } = await asker.ask({ url, headers });
    if (status !== 200) throw new Error(`server returned HTTP status ${statusText}`);
    const type = answered.get('content-type') ?? '';
    if (!JSON_TYPE.test(type.trim())) throw new Error(`unsupported content type ${quote(type)}`);
    return parseJsonList(text).map(({ targets, labels }, index) => ({
      source: `${url}:${index}`,
      targets,
      labels: mergeLabels(labels, ['__meta_url', url]),
    }));
  }

  return refreshing(session, refreshIntervalMs, async () => {
    try {
      return await list();
    } catch (error) {
      session.metrics.httpFailures.value++;
      throw error;
    }
  });
}

// kuma_sd: monitoring assignments of a Kuma control plane, by its discovery service over HTTP.
//
//   POST /v3/discovery:monitoringassignments?fetch-timeout=…     what we know: version_info, response_nonce
//     200   all assignments, of another version
//     304   nothing new
//
// Source of a group: mesh and service.

import { hostname } from '../../base/machine.js';
import type { SectionOf } from '../../config/discovery-keys.js';
import { formatDuration } from '../../model/duration.js';
import { labelsOf } from '../../model/labels.js';
import { labelPart, type Pairs, type SourcedGroup } from '../group.js';
import { jsonOf, refusal } from '../http.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';

const TYPE = 'type.googleapis.com/kuma.observability.v1.MonitoringAssignment';
/** What a request may take beyond the time the control plane waits. */
const SLACK_MS = 5000;
const NOT_MODIFIED = 304;

export function discoverKuma(section: SectionOf<'kuma'>, session: Session): Promise<void> {
  const { server, clientId, refreshIntervalMs, fetchTimeoutMs } = section;
  const asker = session.asker(section, fetchTimeoutMs + SLACK_MS);
  const query = new URLSearchParams({ 'fetch-timeout': formatDuration(fetchTimeoutMs) });
  const url = `${server.replace(/\/+$/, '')}/v3/discovery:monitoringassignments?${query}`;
  const node = { id: clientId || hostname() || 'prometheus' };
  let known: readonly SourcedGroup[] = [];
  let version = '';
  let nonce = '';

  async function assignments(): Promise<readonly SourcedGroup[]> {
    const request = { version_info: version, node, resource_names: [], type_url: TYPE, response_nonce: nonce };
    const answer = await asker.ask({
      url,
      method: 'POST',
      headers: [['Content-Type', 'application/json']],
      body: Buffer.from(JSON.stringify(request)),
    });
    if (answer.status === NOT_MODIFIED) {
      session.metrics.kumaSkipped.value++;
      return known;
    }
    if (answer.status !== 200) throw refusal(answer);
    const response = jsonOf(answer);
    if (response.at('type_url').text !== TYPE) throw new Error('received a resource of another type');
    known = response.at('resources').items.map(groupOf);
    version = response.at('version_info').text;
    nonce = response.at('nonce').text;
    return known;
  }

  return refreshing(session, refreshIntervalMs, async () => {
    const startMs = session.clock.monotonicMs();
    try {
      return await assignments();
    } catch (error) {
      session.metrics.kumaFailures.value++;
      throw error;
    } finally {
      session.metrics.kumaSeconds.observe((session.clock.monotonicMs() - startMs) / 1000);
    }
  });
}

function groupOf(assignment: Tree): SourcedGroup {
  const mesh = assignment.at('mesh').text;
  const service = assignment.at('service').text;
  const common: Pairs = [['__meta_kuma_mesh', mesh], ['__meta_kuma_service', service], ...ownLabels(assignment)];
  return {
    source: `${mesh}/${service}`,
    labels: [],
    targets: assignment
      .at('targets')
      .items.map((target) =>
        labelsOf([
          ...common,
          ['__address__', target.at('address').text],
          ['__metrics_path__', target.at('metrics_path').text],
          ['__scheme__', target.at('scheme').text],
          ['instance', target.at('name').text],
          ['__meta_kuma_dataplane', target.at('name').text],
          ...ownLabels(target),
        ]),
      ),
  };
}

function ownLabels(part: Tree): Pairs {
  return part.at('labels').entries.map(([name, value]) => [`__meta_kuma_label_${labelPart(name)}`, value.text]);
}

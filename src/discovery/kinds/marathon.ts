// marathon_sd: tasks of the apps that Marathon runs.
//
//   GET <one of the servers>/v2/apps/?embed=apps.tasks
//
// Ports are those of the app's mappings or definitions where it has them, else those of the task. Source of a group: the
// app's id.

import type { HttpClientOptions } from '../../base/http.js';
import type { SectionOf } from '../../config/discovery-keys.js';
import { httpOptionsOf } from '../../config/http-options.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { hostPort, labelPart, type Pairs } from '../group.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';

const PREFIX = '__meta_marathon_';

type Section = SectionOf<'marathon'>;

export function discoverMarathon(section: Section, session: Session): Promise<void> {
  const asker = session.askerOf(httpOf(section), section.refreshIntervalMs);
  return refreshing(session, section.refreshIntervalMs, async () => {
    const server = session.prng.pick(section.servers).replace(/\/+$/, '');
    const answer = await asker.json(`${server}/v2/apps/?embed=apps.tasks`);
    const running = answer.at('apps').items.filter((app) => app.at('tasksRunning').number > 0);
    return running.map((app) => ({
      source: app.at('id').text,
      labels: labelsOf([
        [`${PREFIX}app`, app.at('id').text],
        [`${PREFIX}image`, app.at('container', 'docker', 'image').text],
        ...labelPairs('app_label', app.at('labels')),
      ]),
      targets: app.at('tasks').items.flatMap((task) => targetsOf(app, task)),
    }));
  });
}

/** Tokens of DC/OS have a scheme of their own. */
function httpOf(section: Section): HttpClientOptions {
  const { authToken, authTokenFile } = section;
  const options = httpOptionsOf(section);
  if (authToken === undefined && authTokenFile === '') return options;
  const credentialsFile = authTokenFile === '' ? undefined : authTokenFile;
  return { ...options, authorization: { type: 'token', credentials: authToken?.reveal(), credentialsFile } };
}

function targetsOf(app: Tree, task: Tree): Labels[] {
  const ownMappings = app.at('container', 'portMappings').items;
  const mappings = ownMappings.length > 0 ? ownMappings : app.at('container', 'docker', 'portMappings').items;
  const definitions = app.at('portDefinitions').items;
  const ofTask = task.at('ports').texts;
  const isInOwnNetwork = app.at('networks').items[0]?.at('mode').text === 'container';

  const ports = mappings.length > 0 ? mappings : definitions.length > 0 ? definitions : ofTask.map(() => undefined);
  return ports.flatMap((given, index) => {
    const containerPort = given?.at('containerPort').text ?? '';
    const isRequired = app.at('requirePorts').isTrue && given?.at('port').exists === true;
    const isOwn = mappings.length > 0 && isInOwnNetwork && !(given?.at('hostPort').number ?? 0);
    const port = isOwn ? containerPort : isRequired ? given!.at('port').text : (ofTask[index] ?? '');
    if (port === '' || port === '0') return [];
    const ownIp = task.at('ipAddresses').items[0]?.at('ipAddress').text ?? '';
    const host = isOwn && ownIp !== '' ? ownIp : task.at('host').text;
    const labels = given?.at('labels');
    const kind = mappings.length > 0 ? 'port_mapping_label' : 'port_definition_label';
    return [
      labelsOf([
        ['__address__', hostPort(host, port)],
        [`${PREFIX}task`, task.at('id').text],
        [`${PREFIX}port_index`, String(index)],
        ...(labels === undefined ? [] : labelPairs(kind, labels)),
      ]),
    ];
  });
}

function labelPairs(kind: string, labels: Tree): Pairs {
  return labels.entries.map(([name, value]) => [`${PREFIX}${kind}_${labelPart(name)}`, value.text]);
}

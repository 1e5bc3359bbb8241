// outscale_sd: virtual machines of one region.
//
//   POST <endpoint>/ReadVms      in pages: NextPageToken; signed like AWS's requests, in other words
//
// All are one group. Machines without an address are left out.

import type { SectionOf } from '../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { hostPort, labelPart } from '../group.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';
import { type SignatureDialect, signedHeaders } from './aws/sign.js';

const DIALECT: SignatureDialect = {
  algorithm: 'OSC4-HMAC-SHA256',
  keyPrefix: 'OSC4',
  terminator: 'osc4_request',
  dateHeader: 'X-Osc-Date',
};
const SERVICE = 'oapi';
const PREFIX = '__meta_outscale_vm_';

export function discoverOutscale(section: SectionOf<'outscale'>, session: Session): Promise<void> {
  const { region, endpoint, accessKey, secretKey, secretKeyFile, port, refreshIntervalMs } = section;
  const asker = session.asker(section, refreshIntervalMs);
  const url = `${(endpoint || `https://api.${region}.outscale.com/api/v1`).replace(/\/+$/, '')}/ReadVms`;
  const readPage = async (token: string): Promise<Tree> => {
    const file =
      secretKeyFile === '' ? undefined : new TextDecoder().decode(session.disk.readFile(secretKeyFile)).trim();
    const keys = { accessKey, secretKey: file ?? secretKey?.reveal() ?? '' };
    const body = JSON.stringify(token === '' ? {} : { NextPageToken: token });
    const headers = [['Content-Type', 'application/json']] as const;
    const request = { method: 'POST', url, headers, body, service: SERVICE, region } as const;
    const signed = signedHeaders(request, keys, session.clock.nowMs(), DIALECT);
    return asker.json({ url, method: 'POST', headers: signed, body: Buffer.from(body) });
  };
  return refreshing(session, refreshIntervalMs, async () => {
    const targets: Labels[] = [];
    let next = '';
    do {
      const page = await readPage(next);
      targets.push(...page.at('Vms').items.flatMap((vm) => targetsOf(vm, region, port)));
      next = page.at('NextPageToken').text;
    } while (next !== '');
    return [{ source: 'outscale', labels: [], targets }];
  });
}

function targetsOf(vm: Tree, region: string, port: number): Labels[] {
  const privateIp = vm.at('PrivateIp').text;
  const publicIp = vm.at('PublicIp').text;
  if (privateIp === '' && publicIp === '') return [];
  return [
    labelsOf([
      ['__address__', hostPort(privateIp || publicIp, port)],
      [`${PREFIX}instance_id`, vm.at('VmId').text],
      [`${PREFIX}region`, region],
      [`${PREFIX}subregion`, vm.at('Placement', 'SubregionName').text],
      [`${PREFIX}state`, vm.at('State').text],
      [`${PREFIX}private_ip`, privateIp],
      [`${PREFIX}public_ip`, publicIp],
      ...vm
        .at('Tags')
        .items.map((tag): [string, string] => [`${PREFIX}tag_${labelPart(tag.at('Key').text)}`, tag.at('Value').text]),
    ]),
  ];
}

// XML-RPC (xmlrpc.com, 1999): calls as XML, and answers as trees.
//
//   <methodResponse><params><param><value> … </value></param></params></methodResponse>
//   <methodResponse><fault><value> { faultCode, faultString } </value></fault></methodResponse>
//
//   value:  <int> <i4> <i8> <double> <boolean> <string> and the like, bare text, <array><data>, <struct><member>

import { Tree } from './tree.js';
import { parseXml } from './xml.js';

export type RpcValue = string | number | readonly RpcValue[];

export function methodCall(name: string, parameters: readonly RpcValue[]): string {
  const params = parameters.map((value) => `<param>${written(value)}</param>`).join('');
  return `<?xml version="1.0" encoding="UTF-8"?><methodCall><methodName>${name}</methodName><params>${params}</params></methodCall>`;
}

/** Throws an Error for a fault, and for what is no answer. */
export function methodResponse(text: string): Tree {
  const answer = parseXml(text).at('methodResponse');
  const fault = answer.at('fault', 'value');
  if (fault.exists) throw new Error(`the call failed: ${new Tree(valueOf(fault)).at('faultString').text}`);
  const value = answer.at('params', 'param', 'value');
  if (!value.exists) throw new Error('no answer to a call in the answer');
  return new Tree(valueOf(value));
}

function written(value: RpcValue): string {
  if (typeof value === 'number') return `<value><int>${value}</int></value>`;
  if (typeof value === 'string') return `<value><string>${escaped(value)}</string></value>`;
  return `<value><array><data>${value.map(written).join('')}</data></array></value>`;
}

function valueOf(value: Tree): unknown {
  const [type, inner] = value.entries[0] ?? ['string', value];
  switch (type) {
    case 'array':
      return inner.all('data', 'value').map(valueOf);
    case 'struct':
      return Object.fromEntries(
        inner.all('member').map((member) => [member.at('name').text, valueOf(member.at('value'))]),
      );
    case 'boolean':
      return inner.text === '1';
    case 'nil':
      return null;
    default:
      return inner.text;
  }
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}

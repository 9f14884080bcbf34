import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './exec.ts';

/**
 * Who may do what at the start: serving certificates signed by the cluster's own authority, and bearer tokens for its
 * components (a static token file is simpler than a client certificate each, and this cluster lives for minutes).
 */
export interface Pki {
  readonly folder: string;
  readonly tokens: Readonly<Record<Identity, string>>;
}

const identities = {
  admin: { user: 'admin', group: 'system:masters' },
  'controller-manager': { user: 'system:kube-controller-manager', group: '' },
  scheduler: { user: 'system:kube-scheduler', group: '' },
  kwok: { user: 'kwok', group: 'system:masters' },
  proxy: { user: 'system:kube-proxy', group: '' },
  node: { user: 'system:node:node-0', group: 'system:nodes' },
} as const;

export type Identity = keyof typeof identities;

/** Writes all keys, certificates and tokens into a folder. `addresses` are those the API server answers at. */
export async function createPki(folder: string, addresses: readonly string[]): Promise<Pki> {
  await mkdir(folder, { recursive: true });
  serviceAccountKeys(folder);
  await Promise.all([authority(folder, 'ca'), authority(folder, 'front-proxy-ca')]);
  const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'localhost'];
  const san = [...names.map((name) => `DNS:${name}`), ...addresses.map((ip) => `IP:${ip}`)].join(',');
  await Promise.all([
    certificate(folder, 'apiserver', 'ca', '/CN=kube-apiserver', san),
    certificate(folder, 'kubelet', 'ca', '/O=system:nodes/CN=system:node:node-0', san),
    certificate(folder, 'apiserver-kubelet-client', 'ca', '/O=system:masters/CN=apiserver-kubelet-client'),
    certificate(folder, 'front-proxy-client', 'front-proxy-ca', '/CN=front-proxy-client'),
  ]);
  return { folder, tokens: await tokenFile(folder) };
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

async function authority(folder: string, name: string): Promise<void> {
  const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)];
  await run('openssl', [
    'req',
    '-x509',
    ...newKey,
    '-days',
    '365',
    '-subj',
    `/CN=bluegreen ${name}`,
    ...files,
  ]);
}

async function certificate(
  folder: string,
  name: string,
  ca: string,
  subject: string,
  san?: string,
): Promise<void> {
  const file = (ending: string): string => join(folder, `${name}.${ending}`);
  const extensions = ['keyUsage=digitalSignature,keyEncipherment', 'extendedKeyUsage=serverAuth,clientAuth'];
  if (san) extensions.push(`subjectAltName=${san}`);
  await writeFile(file('ext'), extensions.join('\n'));
  await run('openssl', [
    'req',
    '-new',
    ...newKey,
    '-subj',
    subject,
    '-keyout',
    file('key'),
    '-out',
    file('csr'),
  ]);
  const signer = ['-CA', join(folder, `${ca}.crt`), '-CAkey', join(folder, `${ca}.key`)];
  const serial = ['-set_serial', `0x${randomBytes(8).toString('hex')}`];
  const files = ['-in', file('csr'), '-out', file('crt'), '-extfile', file('ext')];
  await run('openssl', ['x509', '-req', '-days', '365', ...signer, ...serial, ...files]);
}

function serviceAccountKeys(folder: string): void {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sec1 = privateKey.export({ type: 'sec1', format: 'pem' });
  writeFileSync(join(folder, 'sa.key'), sec1, { mode: 0o600 });
  writeFileSync(join(folder, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
}

async function tokenFile(folder: string): Promise<Record<Identity, string>> {
  const tokens: Partial<Record<Identity, string>> = {};
  const lines: string[] = [];
  for (const [name, { user, group }] of Object.entries(identities)) {
    const token = randomBytes(24).toString('hex');
    tokens[name as Identity] = token;
    lines.push(`${token},${user},${name},${group}`);
  }
  await writeFile(join(folder, 'tokens.csv'), `${lines.join('\n')}\n`, { mode: 0o600 });
  return tokens as Record<Identity, string>;
}

/** A kubeconfig as text; JSON is YAML. */
export function kubeconfig(server: string, caFile: string, token: string): string {
  const ca = readFileSync(caFile).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': ca } }],
    users: [{ name: 'user', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'user' } }],
    'current-context': 'test',
  });
}

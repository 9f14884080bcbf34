/** An entry with the dependencies that are hard to bundle; prints what they do. */
import { KubeConfig } from '@kubernetes/client-node';
import { Counter, collectDefaultMetrics, Registry } from 'prom-client';
import { Agent, fetch } from 'undici';
import winston from 'winston';

const registry = new Registry();
collectDefaultMetrics({ register: registry });
new Counter({ name: 'switches_total', help: 'Switches.', registers: [registry] }).inc();

const config = new KubeConfig();
config.loadFromClusterAndUser(
  { name: 'c', server: 'https://192.0.2.1', skipTLSVerify: false },
  { name: 'u' },
);

const log = winston.createLogger({
  format: winston.format.json(),
  transports: [new winston.transports.Console()],
});
log.info('bundled', {
  counted: (await registry.metrics()).includes('switches_total 1'),
  server: config.getCurrentCluster()?.server,
  agent: new Agent() instanceof Agent,
  fetch: typeof fetch,
});

/**
 * The gate of the demo's release: does the candidate answer, and is it another version than the one that serves?
 * What it has to say when it fails goes where Kubernetes looks for it, so that it appears in the release's status.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 20_000;

async function versionAt(url) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      const response = await fetch(new URL('/version', url), { signal: AbortSignal.timeout(2_000) });
      const version = response.headers.get('x-version');
      if (response.status === 200 && version) return version;
      throw new Error(`status ${response.status}, x-version ${version}`);
    } catch (error) {
      // A Service that is new is not known to every node's proxy at once.
      if (Date.now() > deadline) throw new Error(`${url}/version: ${error.cause?.message ?? error.message}`);
    }
    await sleep(200);
  }
}

try {
  const { BLUEGREEN_CANDIDATE_URL: candidateUrl, BLUEGREEN_ACTIVE_URL: activeUrl } = process.env;
  if (!candidateUrl || !activeUrl)
    throw new Error('BLUEGREEN_CANDIDATE_URL and BLUEGREEN_ACTIVE_URL are not set');
  const [candidate, active] = await Promise.all([versionAt(candidateUrl), versionAt(activeUrl)]);
  if (candidate === active)
    throw new Error(`the candidate answers as ${candidate}, which is what serves already`);
  console.log(`the candidate answers as ${candidate}, beside ${active}`);
} catch (error) {
  console.error(error.message);
  try {
    writeFileSync('/dev/termination-log', error.message);
  } catch {
    // Not in a pod.
  }
  process.exitCode = 1;
}

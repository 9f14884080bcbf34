import { expect } from 'chai';
import { createTelemetry, type Telemetry } from '../../../src/server/metrics.ts';

describe('the metrics of the operator', () => {
  let telemetry: Telemetry;

  beforeEach(() => {
    telemetry = createTelemetry({ version: '0.1.0' });
  });

  /** The samples of the metrics whose names begin so, without help and type. */
  async function samples(prefix: string): Promise<string[]> {
    const { body } = await telemetry.expose();
    return body.split('\n').filter((line) => line.startsWith(prefix));
  }

  it('are in the text format of Prometheus', async () => {
    expect((await telemetry.expose()).contentType).to.equal('text/plain; version=0.0.4; charset=utf-8');
  });

  it('name the running version', async () => {
    expect(await samples('bluegreen_build_info')).to.deep.equal([
      `bluegreen_build_info{version="0.1.0",node_version="${process.version}"} 1`,
    ]);
  });

  it('tell of the process', async () => {
    expect(await samples('process_resident_memory_bytes')).to.have.length(1);
    expect(await samples('nodejs_eventloop_lag_p99_seconds')).to.have.length(1);
  });

  it('show each release in one phase', async () => {
    telemetry.metrics.setPhase({ namespace: 'shop', name: 'checkout' }, 'Preparing');
    telemetry.metrics.setPhase({ namespace: 'till', name: 'checkout' }, 'Idle');
    telemetry.metrics.setPhase({ namespace: 'shop', name: 'checkout' }, 'Switching');
    telemetry.metrics.setPhase({ namespace: 'shop', name: 'checkout' }, 'Switching');
    expect(await samples('bluegreen_release_phase')).to.have.members([
      'bluegreen_release_phase{namespace="shop",release="checkout",phase="Switching"} 1',
      'bluegreen_release_phase{namespace="till",release="checkout",phase="Idle"} 1',
    ]);
  });

  it('forget a release that is gone, and can see it again', async () => {
    const release = { namespace: 'shop', name: 'checkout' };
    telemetry.metrics.setPhase(release, 'Idle');
    telemetry.metrics.forgetRelease(release);
    telemetry.metrics.forgetRelease(release);
    expect(await samples('bluegreen_release_phase')).to.deep.equal([]);
    telemetry.metrics.setPhase(release, 'Idle');
    expect(await samples('bluegreen_release_phase')).to.have.length(1);
  });

  it('count what the product does', async () => {
    telemetry.metrics.switchEnded('Converged');
    telemetry.metrics.rollbackDecided('CheckFailed');
    telemetry.metrics.measured({ verdict: 'Unknown', reason: 'NoData' });
    telemetry.metrics.measured({ verdict: 'Unknown', reason: 'NoData' });
    telemetry.metrics.effectApplied('PatchSelector', 'applied');
    const { body } = await telemetry.expose();
    expect(body.split('\n')).to.include.members([
      'bluegreen_switches_total{outcome="Converged"} 1',
      'bluegreen_rollbacks_total{reason="CheckFailed"} 1',
      'bluegreen_measurements_total{verdict="Unknown",reason="NoData"} 2',
      'bluegreen_reconcile_effects_total{kind="PatchSelector",result="applied"} 1',
    ]);
  });

  it('measure the switch and the way back by their stages', async () => {
    telemetry.metrics.switchReached('patched', 0.02);
    telemetry.metrics.switchReached('converged', 1.5);
    telemetry.metrics.rollbackReached('patched', 0.5);
    expect(await samples('bluegreen_switch_seconds_sum')).to.have.members([
      'bluegreen_switch_seconds_sum{stage="patched"} 0.02',
      'bluegreen_switch_seconds_sum{stage="converged"} 1.5',
    ]);
    expect(await samples('bluegreen_switch_seconds_bucket{le="2",stage="converged"}')).to.deep.equal([
      'bluegreen_switch_seconds_bucket{le="2",stage="converged"} 1',
    ]);
    expect(await samples('bluegreen_rollback_seconds_count')).to.deep.equal([
      'bluegreen_rollback_seconds_count{stage="patched"} 1',
    ]);
  });

  it('show the queue under the names of controller-runtime, as it is at the scrape', async () => {
    const observer = telemetry.queueObserver('release');
    let depth = 0;
    telemetry.followQueue('release', () => ({
      depth,
      urgentDepth: 0,
      delayed: 0,
      unfinishedSeconds: 2,
      longestSeconds: 1,
    }));
    observer.onAdd();
    observer.onRetry();
    observer.onGet(0.001);
    observer.onDone(0.1);
    depth = 3;
    expect(await samples('workqueue_')).to.include.members([
      'workqueue_adds_total{name="release",controller="release"} 1',
      'workqueue_retries_total{name="release",controller="release"} 1',
      'workqueue_queue_duration_seconds_count{name="release",controller="release"} 1',
      'workqueue_work_duration_seconds_sum{name="release",controller="release"} 0.1',
      'workqueue_depth{name="release",controller="release"} 3',
      'workqueue_unfinished_work_seconds{name="release",controller="release"} 2',
      'workqueue_longest_running_processor_seconds{name="release",controller="release"} 1',
    ]);
  });

  it('show the loop under the names of controller-runtime', async () => {
    const observer = telemetry.loopObserver('release', 16);
    observer.onActive(2);
    observer.onReconcile('success', 0.01);
    observer.onReconcile('error', 0.02);
    expect(await samples('controller_runtime_')).to.include.members([
      'controller_runtime_active_workers{controller="release"} 2',
      'controller_runtime_max_concurrent_reconciles{controller="release"} 16',
      'controller_runtime_reconcile_total{controller="release",result="success"} 1',
      'controller_runtime_reconcile_total{controller="release",result="error"} 1',
      'controller_runtime_reconcile_errors_total{controller="release"} 1',
      'controller_runtime_reconcile_time_seconds_count{controller="release"} 2',
    ]);
  });

  it('show requests to the API server under the names of client-go', async () => {
    const observer = telemetry.requestObserver('10.0.0.1:443');
    observer.onRequest({ verb: 'patch', resource: 'services', status: 422, seconds: 0.01 });
    observer.onRequest({ verb: 'list', resource: 'pods', status: 0, seconds: 5 });
    expect(await samples('rest_client_')).to.include.members([
      'rest_client_requests_total{code="422",method="PATCH",host="10.0.0.1:443"} 1',
      'rest_client_requests_total{code="<error>",method="GET",host="10.0.0.1:443"} 1',
      'rest_client_request_duration_seconds_count{verb="PATCH",host="10.0.0.1:443"} 1',
    ]);
  });

  it('say who leads', async () => {
    telemetry.setLeader('bluegreen-operator', true);
    expect(await samples('leader_election_master_status')).to.deep.equal([
      'leader_election_master_status{name="bluegreen-operator"} 1',
    ]);
    telemetry.setLeader('bluegreen-operator', false);
    expect(await samples('leader_election_master_status')).to.deep.equal([
      'leader_election_master_status{name="bluegreen-operator"} 0',
    ]);
  });
});

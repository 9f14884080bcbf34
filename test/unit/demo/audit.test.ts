import { expect } from 'chai';
import { switchesIn } from '../../support/audit.ts';

const service = { namespace: 'demo', name: 'shop' };

/** A selector patch as the audit log of an API server tells it. */
function event(change: Record<string, unknown> = {}): any {
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Request',
    auditID: '903b750b-a73e-46f3-abe4-f0bb5137e83c',
    stage: 'ResponseComplete',
    verb: 'patch',
    user: { username: 'system:serviceaccount:bluegreen-system:bluegreen-operator' },
    objectRef: { resource: 'services', namespace: 'demo', name: 'shop', apiVersion: 'v1' },
    responseStatus: { metadata: {}, code: 200 },
    requestObject: [
      { op: 'test', path: '/spec/selector', value: { app: 'shop', 'bluegreen.dev/color': 'blue' } },
      { op: 'add', path: '/spec/selector/bluegreen.dev~1color', value: 'green' },
      { op: 'add', path: '/metadata/annotations/bluegreen.dev~1switch', value: 'uid-1/r2/2' },
    ],
    requestReceivedTimestamp: '2026-11-21T08:22:27.435922Z',
    stageTimestamp: '2026-11-21T08:22:27.441420Z',
    ...change,
  };
}

const read = (...events: object[]) =>
  switchesIn(
    events.map((each) => JSON.stringify(each)),
    service,
  );

describe('the switches in an audit log', () => {
  it('are the patches of the selector, with the times when they were received and done', () => {
    expect(read(event())).to.deep.equal([
      {
        decidedAt: Date.UTC(2026, 10, 21, 8, 22, 27, 435),
        patchedAt: Date.UTC(2026, 10, 21, 8, 22, 27, 441),
        color: 'green',
        mark: { revision: 'r2', attempt: 2, direction: 'Forward' },
        user: 'system:serviceaccount:bluegreen-system:bluegreen-operator',
      },
    ]);
  });

  describe('whose sender was killed before the answer', () => {
    const at = (second: number, code: number, revision = 'r2') =>
      event({
        responseStatus: { metadata: {}, code },
        requestObject: [
          { op: 'add', path: '/spec/selector/bluegreen.dev~1color', value: 'green' },
          { op: 'add', path: '/metadata/annotations/bluegreen.dev~1switch', value: `uid-1/${revision}/2` },
        ],
        requestReceivedTimestamp: `2026-11-21T08:22:${second}.000000Z`,
      });
    const seconds = (...events: object[]) =>
      read(...events).map(({ decidedAt }) => new Date(decidedAt).getUTCSeconds());

    it('were carried out where nobody had to ask again', () => {
      expect(seconds(at(27, 504))).to.deep.equal([27]);
    });

    it('count once, however often they were asked for', () => {
      expect(seconds(at(27, 504), at(28, 200))).to.deep.equal([28]);
      expect(seconds(at(27, 200), at(28, 504))).to.deep.equal([27]);
      expect(seconds(at(27, 504), at(28, 504))).to.deep.equal([28]);
      expect(seconds(at(27, 504), at(28, 200, 'r3'))).to.deep.equal([27, 28]);
    });
  });

  it('are told apart by their direction', () => {
    const back = event({
      requestObject: [
        { op: 'add', path: '/spec/selector/bluegreen.dev~1color', value: 'blue' },
        { op: 'replace', path: '/metadata/annotations/bluegreen.dev~1switch', value: 'uid-1/r1/2/back' },
      ],
    });
    expect(read(back)[0]).to.deep.include({
      color: 'blue',
      mark: { revision: 'r1', attempt: 2, direction: 'Back' },
    });
  });

  it('include one that writes whole maps', () => {
    const whole = event({
      requestObject: [
        { op: 'replace', path: '/spec/selector', value: { app: 'shop', 'bluegreen.dev/color': 'green' } },
        { op: 'add', path: '/metadata/annotations', value: { 'bluegreen.dev/switch': 'uid-1/r2/2' } },
      ],
    });
    expect(read(whole)[0]).to.deep.include({
      color: 'green',
      mark: { revision: 'r2', attempt: 2, direction: 'Forward' },
    });
  });

  it('include one that takes the colour away, and one without a mark', () => {
    const byHand = event({
      user: { username: 'somebody' },
      requestObject: [{ op: 'remove', path: '/spec/selector/bluegreen.dev~1color' }],
    });
    expect(read(byHand)[0]).to.deep.include({ color: undefined, mark: undefined, user: 'somebody' });
  });

  it('come in the order in which they were received', () => {
    const later = event({ requestReceivedTimestamp: '2026-11-21T08:30:00.000000Z' });
    expect(read(later, event()).map(({ decidedAt }) => new Date(decidedAt).toISOString())).to.deep.equal([
      '2026-11-21T08:22:27.435Z',
      '2026-11-21T08:30:00.000Z',
    ]);
  });

  const table: [string, Record<string, unknown>][] = [
    ['a patch that a test in it refused', { responseStatus: { code: 422 } }],
    ['the beginning of a request', { stage: 'RequestReceived' }],
    ['another Service', { objectRef: { resource: 'services', namespace: 'demo', name: 'shop-blue' } }],
    ['another namespace', { objectRef: { resource: 'services', namespace: 'default', name: 'shop' } }],
    ['the status of the Service', { objectRef: { ...event().objectRef, subresource: 'status' } }],
    ['an update', { verb: 'update' }],
    ['a patch that is logged without its content', { requestObject: undefined }],
    [
      'a patch of something else',
      { requestObject: [{ op: 'add', path: '/metadata/annotations/note', value: 'x' }] },
    ],
    [
      'a patch that only tests the selector',
      { requestObject: [{ op: 'test', path: '/spec/selector', value: { 'bluegreen.dev/color': 'blue' } }] },
    ],
  ];
  for (const [name, change] of table) {
    it(`do not include ${name}`, () => {
      expect(read(event(change))).to.deep.equal([]);
    });
  }

  it('are read although the last line is cut off', () => {
    const line = JSON.stringify(event());
    expect(switchesIn([line, line.slice(0, 200), ''], service)).to.have.length(1);
  });
});

/** What several parts of the schema are made of. */
import { z } from 'zod';
import { DECIMAL, DNS_1035, DNS_1123_SUBDOMAIN, HTTP_PATH, PERCENT } from '../patterns.ts';

/** Name of an object of the API. */
export const objectName = z.string().min(1).max(253).regex(DNS_1123_SUBDOMAIN);

/** What an HTTP request asks for. */
export const httpPath = z.string().min(1).max(1024).regex(HTTP_PATH);

/** One that counts for a port of a pod: it is found through the Service. */
export const servicePort = z
  .int()
  .min(1)
  .max(65_535)
  .optional()
  .describe('A port of the first production Service. Absent: its first.');

export const promQl = z.string().min(1).max(4096);

/** A list in which each name stands once: what applies it merges by that. */
export const byName = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] };

/** A CEL rule of the CRD, with the sentence that people read where it does not hold. */
export const rule = (rule: string, message: string): { rule: string; message: string } => ({ rule, message });

export const seconds = (minimum: number, maximum: number): z.ZodInt => z.int().min(minimum).max(maximum);

/** A Kubernetes object whose verdict comes from the API server itself: a strict dry run of what is derived from it. */
export const embedded = (description: string) =>
  z.record(z.string(), z.unknown()).meta({ description, 'x-kubernetes-preserve-unknown-fields': true });

export const intOrPercent = z.union([z.int().min(0).max(10_000), z.string().regex(PERCENT)]).meta({
  'x-kubernetes-int-or-string': true,
  'x-kubernetes-validations': [
    rule(
      "type(self) == int ? self >= 0 && self <= 10000 : self.matches('^(0|[1-9][0-9]{0,2}|1000)%$')",
      'a number of pods from 0 to 10000, or a percentage such as "100%"',
    ),
  ],
});

export const decimal = z.string().max(32).regex(DECIMAL);

export const listName = z.string().min(1).max(40).regex(DNS_1035);

export const metricSource = z
  .string()
  .min(1)
  .max(63)
  .regex(DNS_1035)
  .default('default')
  .describe('A metric source that the administrator of the operator has named.');

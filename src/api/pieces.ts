/** What several parts of the schema are made of. */
import { z } from 'zod';
import { DNS_1123_SUBDOMAIN, HTTP_PATH } from './patterns.ts';

/** Name of an object of the API. */
export const objectName = z.string().min(1).max(253).regex(DNS_1123_SUBDOMAIN);

/** What an HTTP request asks for. */
export const httpPath = z.string().min(1).max(1024).regex(HTTP_PATH);

/** A CEL rule of the CRD, with the sentence that people read where it does not hold. */
export const rule = (rule: string, message: string): { rule: string; message: string } => ({ rule, message });

export const seconds = (minimum: number, maximum: number): z.ZodInt => z.int().min(minimum).max(maximum);

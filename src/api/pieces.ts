/** What several parts of the schema are made of. */
import { z } from 'zod';

/** A CEL rule of the CRD, with the sentence that people read where it does not hold. */
export const rule = (rule: string, message: string): { rule: string; message: string } => ({ rule, message });

export const seconds = (minimum: number, maximum: number): z.ZodInt => z.int().min(minimum).max(maximum);

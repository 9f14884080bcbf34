/** What a failed assertion compared is said in full: a reason cut off in a log is a reason lost. */
import { config } from 'chai';

config.truncateThreshold = 0;

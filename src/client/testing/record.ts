// Writes the golden transcripts anew, from Docker's own client: bin/node src/client/testing/record.ts /usr/bin/docker

import { writeFileSync } from 'node:fs';
import { recordTranscripts } from './transcript.ts';

const client = process.argv[2];
if (client === undefined) throw new Error('which docker client?');
const transcripts = await recordTranscripts([client]);
writeFileSync(`${import.meta.dirname}/testdata/transcripts.json`, `${JSON.stringify(transcripts, null, 1)}\n`);

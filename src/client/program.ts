// What this program calls itself in help pages and messages.

/** `berth`, or the name of the link through which bin/berth was started: a link called `docker` speaks as docker. */
export const programName = process.env.BERTH_PROGRAM_NAME || 'berth';

export const clientVersion = '0.1.0';

/** Names of the sets and maps. */
export const setName = {
  bridges: 'bridges',
  pairs: 'bridge_pairs',
  own4: 'own4',
  own6: 'own6',
  internal: 'internal',
  masquerade4: 'masquerade4',
  masquerade6: 'masquerade6',
  /** Bridges whose containers go out under a certain address of the host. */
  snat4: 'snat4',
  snat6: 'snat6',
  routed: 'routed',
  open4: 'open4',
  open6: 'open6',
  published4: 'published4',
  published6: 'published6',
  publishedAt4: 'published_at4',
  publishedAt6: 'published_at6',
  /** Bridges of networks with an egress policy; sources with one of their own. */
  restricted: 'restricted',
  bound4: 'bound4',
  bound6: 'bound6',
  allowed4: 'allowed4',
  allowed6: 'allowed6',
  ownAllowed4: 'own_allowed4',
  ownAllowed6: 'own_allowed6',
  /** What was turned away lately: read, and told to people. */
  denied4: 'denied4',
  denied6: 'denied6',
} as const;

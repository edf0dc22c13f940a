// netlink: messages to and from the kernel as bytes, for devices, addresses, routes, nf_tables and connection tracking.
// Nothing here does I/O: a connection is handed in.

export {
  decodeAddress,
  decodeHardwareAddress,
  encodeAddress,
  encodeHardwareAddress,
  family,
  familyOf,
} from './address.ts';
export { type Attribute, AttributeMap, attribute, concat, decodeAttributes, nested } from './attributes.ts';
export { NetlinkClient, type NetlinkConnection, protocol, type Refusal } from './connection.ts';
export { type ConnectionFilter, decodeConnection, forgetConnections, listConnections } from './conntrack/conntrack.ts';
export { type Acknowledgement, decodeAcknowledgement, errnoName, isNetlinkError, NetlinkError } from './errors.ts';
export {
  decodeMessages,
  encodeMessage,
  encodeMessages,
  flag,
  messageHeaderBytes,
  messageType,
  type NetlinkMessage,
  type ReceivedMessage,
} from './message.ts';
export { nft } from './nftables/constants.ts';
export type { DecodedExpression, Expression, Verdict } from './nftables/expressions.ts';
export {
  addChain,
  addElements,
  addRule,
  addSet,
  addTable,
  type Chain,
  type DecodedChain,
  type DecodedRule,
  decodeChain,
  decodeElements,
  decodeGeneration,
  decodeRule,
  decodeTable,
  deleteElements,
  deleteRule,
  deleteTable,
  flushRuleset,
  getGeneration,
  intervalElements,
  listChains,
  listElements,
  listRules,
  listTables,
  type NftSet,
  type Rule,
  type SetElement,
  type TableRef,
  transaction,
} from './nftables/objects.ts';
export {
  addAddress,
  addressFlag,
  decodeInterfaceAddress,
  deleteAddress,
  type InterfaceAddress,
  listAddresses,
} from './route/addr.ts';
export {
  createLink,
  decodeLink,
  deleteLink,
  getLink,
  type Link,
  type LinkKind,
  type LinkSettings,
  linkFlag,
  type NamespaceRef,
  setBridgePort,
  setLink,
} from './route/link.ts';
export { addRoute, decodeRoute, defaultRoute, deleteRoute, listRoutes, type Route, routeTable } from './route/route.ts';

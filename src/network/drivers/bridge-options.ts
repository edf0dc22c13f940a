// Options of a bridge network, from the strings that the API carries.

import { isIP } from 'node:net';
import { InvalidArgument } from '../../errdefs/index.ts';
import { parseEgressPolicy } from '../egress/policy.ts';
import { bridgeNameOf } from '../names.ts';
import { booleanOption, type NetworkRecord, option } from '../network.ts';

export type GatewayMode = 'nat' | 'nat-unprotected' | 'routed' | 'isolated';
const gatewayModes: ReadonlySet<string> = new Set<GatewayMode>(['nat', 'nat-unprotected', 'routed', 'isolated']);

export interface BridgeOptions {
  readonly bridgeName: string;
  readonly mtu: number;
  /** Containers of the network may talk to each other. */
  readonly icc: boolean;
  readonly masquerade: boolean;
  readonly gatewayMode4: GatewayMode;
  readonly gatewayMode6: GatewayMode;
  /** Address that ports are bound to when a binding names none. */
  readonly hostBinding?: string;
  readonly interfacePrefix: string;
  /** The bridge itself gets no IPv4 address. */
  readonly inhibit4: boolean;
  /** Addresses of the host that containers go out under. */
  readonly hostAddress4?: string;
  readonly hostAddress6?: string;
}

function readBoolean(options: Readonly<Record<string, string>>, name: string, otherwise: boolean): boolean {
  const value = booleanOption(options, name, otherwise);
  if (value !== undefined) return value;
  throw new InvalidArgument(
    `failed to parse ${name} value: ${options[name]} (strconv.ParseBool: parsing "${options[name]}": invalid syntax)`,
  );
}

function readMtu(options: Readonly<Record<string, string>>, otherwise: number): number {
  const value = options[option.mtu];
  if (value === undefined || value === '') return otherwise;
  if (!/^[+-]?\d+$/.test(value)) {
    throw new InvalidArgument(
      `failed to parse ${option.mtu} value: ${value} (strconv.Atoi: parsing "${value}": invalid syntax)`,
    );
  }
  const mtu = Number(value);
  if (mtu < 0 || mtu > 65535) throw new InvalidArgument(`invalid MTU number: ${value}`);
  return mtu === 0 ? otherwise : mtu;
}

function readGatewayMode(options: Readonly<Record<string, string>>, name: string, internal: boolean): GatewayMode {
  const value = options[name];
  if (value === undefined || value === '') return 'nat';
  if (!gatewayModes.has(value)) throw new InvalidArgument(`unknown gateway mode ${value}`);
  if (value === 'isolated' && !internal) {
    throw new InvalidArgument(`gateway mode 'isolated' can only be used for an internal network`);
  }
  return value as GatewayMode;
}

function readAddress(options: Readonly<Record<string, string>>, name: string, version: 4 | 6): string | undefined {
  const value = options[name];
  if (value === undefined || value === '') return undefined;
  if (isIP(value) !== version) throw new InvalidArgument(`invalid ${name} value: ${value} is no IPv${version} address`);
  return value;
}

/** Reads the options; InvalidArgument for what cannot be meant. */
export function bridgeOptions(
  record: Pick<NetworkRecord, 'id' | 'options' | 'internal'>,
  defaults: { mtu: number },
): BridgeOptions {
  const { options, internal } = record;
  parseEgressPolicy(options[option.egress]);
  const bridgeName = options[option.bridgeName] ?? '';
  if (bridgeName.length > 15 || /[/\s]/.test(bridgeName)) {
    throw new InvalidArgument(`invalid bridge name "${bridgeName}": an interface name has at most 15 characters`);
  }
  const hostBinding = options[option.hostBinding] ?? '';
  const hostAddress4 = readAddress(options, option.hostAddress4, 4);
  const hostAddress6 = readAddress(options, option.hostAddress6, 6);
  return {
    ...(hostAddress4 !== undefined && { hostAddress4 }),
    ...(hostAddress6 !== undefined && { hostAddress6 }),
    bridgeName: bridgeName === '' ? bridgeNameOf(record.id) : bridgeName,
    mtu: readMtu(options, defaults.mtu),
    icc: readBoolean(options, option.icc, true),
    masquerade: readBoolean(options, option.masquerade, true),
    inhibit4: readBoolean(options, option.inhibit4, false),
    gatewayMode4: readGatewayMode(options, option.gatewayMode4, internal),
    gatewayMode6: readGatewayMode(options, option.gatewayMode6, internal),
    interfacePrefix: options[option.interfacePrefix] || 'eth',
    ...(hostBinding !== '' && hostBinding !== '0.0.0.0' && { hostBinding }),
  };
}

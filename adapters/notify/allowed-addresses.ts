/**
 * Where a webhook may go (server-side request forgery): scheme, host and port must be on the operator's list, and the address that the name
 * resolves to, at the moment of connecting, must be a public one unless the entry says otherwise. Link-local addresses, where clouds
 * keep the credentials of a machine, are never allowed.
 */
import { lookup as resolveName, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { matchesWildcard } from '../../domain/wildcard.ts';
import type { Allowed } from './receivers.ts';

/** Special-purpose ranges of IANA that no public service has (RFC 6890 and its registries). */
const PRIVATE_IPV4 = ['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'];
/** The last three carry an IPv4 address, which may be a private one. */
const PRIVATE_IPV6 = ['::/128', '::1/128', '100::/64', '2001:db8::/32', 'fc00::/7', 'ff00::/8', '64:ff9b::/96', '2002::/16', '2001::/32'];
const LINK_LOCAL = ['169.254.0.0/16', 'fe80::/10', 'fd00:ec2::/32'];

const listOf = (ranges: string[]): BlockList => {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix = ''] = range.split('/');
    list.addSubnet(address, Number(prefix), address.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
};

const privateAddresses = listOf([...PRIVATE_IPV4, ...PRIVATE_IPV6]);
const linkLocalAddresses = listOf(LINK_LOCAL);

/** An IPv4 address in the form of an IPv6 one (`::ffff:7f00:1`) is judged as what it is: BlockList does that. */
const isIn = (list: BlockList, address: string): boolean => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** Said of an address that a message may not go to; it names the host, never the path, which may be a secret. */
export class AddressNotAllowed extends Error {}

const requireAddress = (address: string, host: string, entry: Allowed): void => {
  if (isIn(linkLocalAddresses, address)) throw new AddressNotAllowed(`${host} is a link-local address`);
  if (!entry.private && isIn(privateAddresses, address)) throw new AddressNotAllowed(`${host} is an address of a private network`);
};

const portOf = ({ scheme, port }: Allowed): string => (port === undefined || port === (scheme === 'https' ? 443 : 80) ? '' : String(port));

/** The entry that lets a message go to this URL. @throws AddressNotAllowed */
export const requireAllowed = (url: URL, allow: Allowed[]): Allowed => {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.username !== '' || url.password !== '') throw new AddressNotAllowed('the address holds a user name or a password');
  const entry = allow.find((one) => `${one.scheme}:` === url.protocol && portOf(one) === url.port && matchesWildcard(one.host.toLowerCase(), host));
  if (entry === undefined) throw new AddressNotAllowed(`${url.protocol}//${url.host} is not on the list of allowed hosts`);
  if (isIP(host) !== 0) requireAddress(host, host, entry);
  return entry;
};

/** Resolves a name for one connection, and refuses it when any of its addresses is not allowed: a name may change between two questions. */
export const guardedLookup =
  (entry: Allowed): LookupFunction =>
  (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) return callback(error, '', 0);
      try {
        addresses.forEach(({ address }) => requireAddress(address, hostname, entry));
      } catch (refusal) {
        return callback(refusal as Error, '', 0);
      }
      if (options.all === true) return callback(null, addresses);
      const [first] = addresses;
      return callback(null, first?.address ?? '', first?.family ?? 0);
    });
  };

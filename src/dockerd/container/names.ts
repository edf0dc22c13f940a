// Names of containers: which are allowed, and invented ones.

import { randomInt } from 'node:crypto';
import { InvalidArgument } from '../../errdefs/index.ts';

const allowed = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** The name without its slash, or Docker's error. */
export function parseName(text: string): string {
  if (!allowed.test(text)) {
    throw new InvalidArgument(`Invalid container name (${text}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
  }
  return text.replace(/^\//, '');
}

/** Whether a text could be a volume's or container's name. */
export const isName = (text: string): boolean => allowed.test(text) && !text.startsWith('/');

const adjectives =
  `able amber amiable ample apt ardent artful avid balmy bold bonny brave breezy bright brisk buoyant calm candid
  careful cheery civil clear clever cosy crisp curious daring dapper deft diligent dreamy eager earnest easy elated epic
  fair faithful fearless fervent festive fond frank free fresh friendly frosty gallant gentle gifted glad gleaming golden
  graceful grand hardy hearty helpful honest hopeful humble jolly jovial keen kind lively loyal lucid lucky mellow merry
  mighty modest neat nimble noble patient placid plucky polite proud quick quiet quirky ready robust rosy serene sharp
  shiny silent snug solid spry steady stellar sturdy sunny swift tender thrifty tidy trusty upbeat valiant vivid warm
  watchful wise witty worthy zesty`.split(/\s+/);

const surnames = `abel agnesi alhazen ampere archimedes aryabhata babbage banach bell berners bernoulli bohr boole born
  bose brahe brunel cantor carson cartan cauchy cavendish celsius chandrasekhar clarke copernicus coulomb crick curie
  dalton darwin davy descartes dijkstra dirac doppler edison einstein engelbart erdos euclid euler faraday fermat fermi
  feynman fibonacci fourier franklin galileo galois gauss germain godel goodall hamilton hawking heisenberg herschel
  hertz hilbert hodgkin hooke hopper hubble hume huygens hypatia jacobi jacquard joule kepler keller khayyam knuth
  kovalevskaya lagrange lamarr laplace lavoisier leavitt leibniz linnaeus lovelace mach maxwell mayer mccarthy
  mendel mendeleev mirzakhani moore morse napier newton noether ohm oppenheimer pascal pasteur pauli payne planck
  poincare ptolemy pythagoras ramanujan riemann ritchie rontgen rubin rutherford salk shannon somerville swirles tesla
  thales torvalds turing volta wallis watt wiles wilson wozniak wright wu yonath zhang zuse`.split(/\s+/);

/** `adjective_surname`, with a digit appended from the second try on. */
export function inventName(attempt: number): string {
  const name = `${adjectives[randomInt(adjectives.length)]}_${surnames[randomInt(surnames.length)]}`;
  return attempt === 0 ? name : `${name}${randomInt(10)}`;
}

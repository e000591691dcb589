/**
 * The names of this machine under which the emulator answers. A page of another site can make its own name point to
 * this machine (DNS rebinding), and its requests then carry that name in the Host header.
 */

/** Whether a name is this machine's own. @param hostname as in `URL.hostname` */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/**
 * Which names the emulator answers to: its own, and others that the developer has named.
 * @param others names without ports. A name that begins with a dot stands for all names that end so; `*` is any
 */
export function knownNames(others: readonly string[]): (hostname: string) => boolean {
  const named = others.map((name) => name.trim().toLowerCase()).filter((name) => name !== '');
  return (hostname) =>
    isLoopback(hostname) ||
    named.some(
      (name) => name === '*' || name === hostname || (name.startsWith('.') && hostname.endsWith(name)),
    );
}

/** The code and the secret of a room, which allow a window to lead it. They are stored in this tab only, or after the # of a link. */

/** `at` is the last address of this tab while it led the room. @typedef {{code: string, secret: string, at?: string}} Capability */

import { readStoredJson, writeStored } from "../storage.js";

const KEY = "gruscope-room";

/** @type {Capability | null} */
let current = null;

/** Return the capability with which this tab leads its room, or null if the tab does not lead a room. */
export function readCapability() {
  const [, code, secret] = /^#lead=([\w-]+)\.([\w-]+)$/.exec(location.hash) ?? [];
  if (secret) {
    saveCapability({ code, secret });
    // Remove the secret from the address, because a class could read the address on the projector screen.
    history.replaceState(null, "", location.pathname + location.search);
  }
  return (current ??= readStoredJson(KEY, "sessionStorage"));
}

/** Store the capability in this tab; null removes it. @param {Capability | null} capability */
export function saveCapability(capability) {
  current = capability;
  writeStored(KEY, capability && JSON.stringify(capability), "sessionStorage");
}

/** Return the headers of a teacher's request. @param {Capability | null} [capability] @returns {Record<string, string>} */
export const credentials = (capability = readCapability()) =>
  capability ? { authorization: `Bearer ${capability.secret}` } : {};

/** Return the fragment (#…) of a link with which another window can lead the same room. @param {Capability} capability */
export const asHash = ({ code, secret }) => `#lead=${code}.${secret}`;

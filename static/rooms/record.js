/** The download of a room's record as a file. */

/** @import { Capability } from "./capability.js" */
import { download } from "../files.js";
import { request } from "../server.js";
import { credentials } from "./capability.js";
import { roomUrl } from "./requests.js";

/** Download the record of a room. @param {Capability} capability @param {string} format "csv" or "html" */
export async function downloadRecord(capability, format) {
  const response = await request(roomUrl(capability.code, `record.${format}`), { headers: credentials(capability) });
  download(`room-${capability.code}.${format}`, await response.blob());
}

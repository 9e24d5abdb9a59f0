/** The dialog that opens a room and then shows how students join. */

/** @import { View } from "./requests.js" */
import { copy } from "../clipboard.js";
import { attempt, finder } from "../elements.js";
import { home } from "../frame.js";
import { ROOT } from "../server.js";
import { asHash } from "./capability.js";
import { openRoom, roomUrl } from "./requests.js";

/**
 * Mount the dialog that opens a room and shows its code.
 * @param {HTMLDialogElement} dialog
 * @param {HTMLElement[]} openers
 * @param {ReturnType<typeof import("./leadership.js").createLeadership>} leadership
 * @param {() => View} ownView
 * @param {() => Promise<View>} firstView the view with which the room opens
 * @param {() => Promise<void>} onOpen is called when the room is open
 */
export function mountInvitation(dialog, openers, leadership, ownView, firstView, onOpen) {
  const find = finder(dialog);

  function update() {
    const capability = leadership.capability();
    find(".unreachable").hidden = !/^(localhost|127\.|\[::1\])/.test(location.host);
    find(".invitation").hidden = !capability;
    find(".beginning").hidden = capability !== null;
    if (!capability) return;
    find(".big").textContent = capability.code;
    find(".address").textContent = `${home}rooms/${capability.code}`.replace(/^https?:\/\//, "");
    /** @type {HTMLImageElement} */ (find("img")).src = `${ROOT}${roomUrl(capability.code, "qr.svg")}`;
  }

  const open = () =>
    attempt(find(".error"), async () => {
      const { code, secret } = await openRoom(await firstView());
      leadership.lead({ code, secret });
      update();
      await onOpen();
    });

  async function copyLink() {
    const capability = leadership.capability();
    if (!capability) return;
    const { page, link, step } = ownView();
    const copied = await copy(home + (step ? `${page}?step=${step}` : page + link) + asHash(capability));
    find(".own .done").textContent = copied
      ? "Copied. Anyone with this link can control the room. Keep it private."
      : "The link could not be copied here. Copy the link address of “Presenter window” instead.";
  }

  for (const opener of openers)
    opener.addEventListener("click", () => {
      update();
      dialog.showModal();
    });
  find("[data-room=open]").addEventListener("click", open);
  find("[data-room=copy]").addEventListener("click", copyLink);
}

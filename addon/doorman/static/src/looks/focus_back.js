import {Dialog} from "@web/core/dialog/dialog";
import {onWillDestroy} from "@odoo/owl";
import {patch} from "@web/core/utils/patch";

// Odoo disables a button while what it does is under way, and the focus is lost by that: a
// dialog that closes then gives it back to nothing, and who uses the keyboard begins anew.
let opener = null;

document.addEventListener(
    "click",
    ({target}) => {
        const button = target.closest?.("button[name]");
        if (button && !button.closest(".modal")) {
            opener = button.closest(".o_doorman") ? button.name : null;
        }
    },
    true
);

function giveBack() {
    const lost = !document.activeElement || document.activeElement === document.body;
    if (opener && lost && !document.querySelector(".modal")) {
        document.querySelector(`.o_doorman button[name="${opener}"]`)?.focus();
    }
}

patch(Dialog.prototype, {
    setup() {
        super.setup();
        onWillDestroy(() => setTimeout(giveBack));
    },
});

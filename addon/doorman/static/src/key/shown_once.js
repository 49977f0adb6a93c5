import {
    Component,
    onMounted,
    onWillUnmount,
    useExternalListener,
    useRef,
} from "@odoo/owl";
import {ConfirmationDialog} from "@web/core/confirmation_dialog/confirmation_dialog";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {useService} from "@web/core/utils/hooks";

/** The fields by which a dialog shows a secret. */
const SECRETS = ["key", "link"];
const COPIED_FROM = [...SECRETS, "snippets", "message"]
    .map((name) => `[name=${name}]`)
    .join(",");

/**
 * The button that closes a dialog in which a secret is shown, this once. However it is
 * closed (button, cross, Escape, a phone's arrow, another page), it asks first, unless
 * the secret was copied.
 */
export class ShownOnce extends Component {
    static template = "doorman.ShownOnce";
    static props = {...standardWidgetProps};

    setup() {
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.button = useRef("button");
        this.copied = false;
        const data = this.env.dialogData;
        if (data) {
            data.dismiss = () => this.leave();
        }
        const noteCopy = (ev) => this.onCopy(ev);
        onMounted(() => {
            this.modal = this.button.el.closest(".modal");
            this.modal?.addEventListener("copy", noteCopy);
            this.modal?.addEventListener("click", noteCopy);
        });
        onWillUnmount(() => {
            this.modal?.removeEventListener("copy", noteCopy);
            this.modal?.removeEventListener("click", noteCopy);
        });
        useExternalListener(window, "beforeunload", (ev) => {
            if (this.isAtStake) {
                ev.preventDefault();
            }
        });
    }

    get isAtStake() {
        const {data} = this.props.record;
        return !this.copied && SECRETS.some((name) => data[name]);
    }

    onCopy(ev) {
        const from = ev.target.closest?.(COPIED_FROM);
        if (from && (ev.type === "copy" || ev.target.closest(".o_clipboard_button"))) {
            this.copied = true;
        }
    }

    /** Settles once the dialog may be closed; never, if the person stays. */
    leave() {
        if (!this.isAtStake) {
            return Promise.resolve();
        }
        return new Promise((resolve) => {
            this.dialog.add(ConfirmationDialog, {
                title: _t("Close without copying?"),
                body: _t(
                    "You have not copied it with the buttons here, and it is not shown again. If you lose it, you have to create a new one."
                ),
                confirm: resolve,
                confirmLabel: _t("Close"),
                cancel: () => undefined,
                cancelLabel: _t("Back"),
            });
        });
    }

    async onClick() {
        await this.leave();
        this.action.doAction({type: "ir.actions.act_window_close"});
    }
}

registry.category("view_widgets").add("doorman_shown_once", {component: ShownOnce});

import {Component, onMounted, onWillUnmount, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {browser} from "@web/core/browser/browser";
import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {useService} from "@web/core/utils/hooks";

const EVERY_MS = 3000;
// Half an hour: then it waits for a click.
const MOST = 600;

/** Waits for the first call of what was just connected, and says what came. */
export class FirstCall extends Component {
    static template = "doorman.FirstCall";
    static props = {...standardWidgetProps};

    setup() {
        this.orm = useService("orm");
        this.state = useState({found: {state: "waiting"}, paused: false, checks: null});
        this.left = MOST;
        onMounted(() => this.ask());
        onWillUnmount(() => {
            this.gone = true;
            browser.clearTimeout(this.timer);
        });
    }

    /** The connection that the dialog is of; none where somebody is yet to log in. */
    get connectionId() {
        return this.props.record.data.connection_id;
    }

    get isShown() {
        const {data} = this.props.record;
        return this.connectionId ? data.since : data.step === "browser";
    }

    async ask() {
        // A dialog that shows something else, or a page nobody looks at, asks nothing.
        if (this.isShown && !document.hidden) {
            this.left -= 1;
            try {
                this.state.found = await this.first();
            } catch {
                // The server restarts, or the wizard was cleaned up: wait for a click.
                this.left = 0;
            }
        }
        if (this.gone || this.state.found.state === "connected") {
            return;
        }
        this.state.paused = this.left <= 0;
        if (!this.state.paused) {
            this.timer = browser.setTimeout(() => this.ask(), EVERY_MS);
        }
    }

    first() {
        const silent = this.orm.silent;
        if (this.connectionId) {
            const {since} = this.props.record.data;
            const ids = [this.connectionId];
            return silent.call("doorman.connection", "first_call", [ids, since]);
        }
        const ids = [this.props.record.resId];
        return silent.call("doorman.connect.wizard", "first_call", [ids]);
    }

    again() {
        this.left = MOST;
        return this.ask();
    }

    async test() {
        const ids = [this.connectionId];
        this.state.checks = await this.orm.call(
            "doorman.connection",
            "test_connection",
            [ids]
        );
    }

    get connectedText() {
        const {client, ip, name} = this.state.found;
        const what = client || name || _t("an AI tool");
        return ip ? _t("Connected: %s from %s", what, ip) : _t("Connected: %s", what);
    }
}

registry.category("view_widgets").add("doorman_first_call", {
    component: FirstCall,
});

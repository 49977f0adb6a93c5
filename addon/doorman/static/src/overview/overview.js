import {Component, onWillStart, useState} from "@odoo/owl";
import {
    deserializeDate,
    deserializeDateTime,
    formatDateTime,
} from "@web/core/l10n/dates";
import {Layout} from "@web/search/layout";
import {OverviewChart} from "./overview_chart";
import {_t} from "@web/core/l10n/translation";
import {formatInteger} from "@web/views/fields/formatters";
import {registry} from "@web/core/registry";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";
import {useService} from "@web/core/utils/hooks";

// Errors are red everywhere, what was refused is orange.
const COLORS = {
    ok: "#2a9d5c",
    pending: "#5b7fb9",
    refused: "#e08a00",
    error: "#c9302c",
};
const ROWS_COLOR = "#714b67";
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/** How Doorman is used and what needs attention: the first page of its menu. */
export class Overview extends Component {
    static template = "doorman.Overview";
    static components = {Layout, OverviewChart};
    static props = {...standardActionServiceProps};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.display = {controlPanel: {}};
        this.periods = [7, 30, 90];
        this.state = useState({data: null});
        onWillStart(() => this.load(7));
    }

    async load(days) {
        const data = await this.orm.call("doorman.overview", "data", [], {days});
        this.state.data = data;
    }

    // ---- what is shown ----

    get outcomes() {
        return {
            ok: _t("OK"),
            pending: _t("Waiting for approval"),
            refused: _t("Refused"),
            error: _t("Errors"),
        };
    }

    get labels() {
        const format = {day: "numeric", month: "short"};
        return this.state.data.use.labels.map((day) =>
            deserializeDate(day).toLocaleString(format)
        );
    }

    get requests() {
        const {requests} = this.state.data.use;
        return Object.entries(this.outcomes).map(([outcome, name]) => ({
            name,
            color: COLORS[outcome],
            striped: outcome === "refused" || outcome === "pending",
            values: requests[outcome],
        }));
    }

    get rows() {
        const values = this.state.data.use.rows;
        return [{name: _t("Rows returned"), color: ROWS_COLOR, values}];
    }

    get hasUse() {
        return this.total() > 0;
    }

    get hasRows() {
        return sum(this.state.data.use.rows) > 0;
    }

    total(outcome) {
        const {requests} = this.state.data.use;
        return outcome
            ? sum(requests[outcome])
            : sum(Object.values(requests).map((numbers) => sum(numbers)));
    }

    get tiles() {
        const {use, approvals} = this.state.data;
        const refused = this.total("refused");
        const errors = this.total("error");
        return [
            {
                code: "requests",
                name: _t("Requests"),
                value: this.total(),
                icon: "fa-exchange",
                color: "",
                open: () => this.openAudit({}),
            },
            {
                code: "refused",
                name: _t("Refused"),
                value: refused,
                icon: "fa-ban",
                color: refused ? "o_doorman_refused" : "",
                open: () => this.openAudit({search_default_refused: 1}),
            },
            {
                code: "errors",
                name: _t("Errors"),
                value: errors,
                icon: "fa-exclamation-triangle",
                color: errors ? "text-danger" : "",
                open: () => this.openAudit({search_default_error: 1}),
            },
            {
                code: "rows",
                name: _t("Rows returned"),
                value: sum(use.rows),
                icon: "fa-table",
                color: "",
                open: () => this.open("doorman.doorman_use_action"),
            },
            {
                code: "waiting",
                name: _t("To approve"),
                value: approvals.count,
                icon: "fa-hourglass-half",
                color: approvals.count ? "o_doorman_refused" : "",
                open: () => this.open("doorman.doorman_approval_action"),
            },
        ];
    }

    get steps() {
        const {server, steps} = this.state.data;
        const about = {
            key: {
                name: _t("Create the service key"),
                text: _t(
                    "The Doorman service uses it to log in to Odoo. It is shown only once."
                ),
                button: _t("Create Service Key"),
                run: () => this.settings("action_generate_service_key"),
            },
            service: {
                name: _t("Start the service"),
                text: _t(
                    "Start the service with this Odoo's address and the key. It reports here every 15 seconds."
                ),
                button: _t("Check Again"),
                run: () => this.reload(),
            },
            url: {
                name: _t("Set the public URL"),
                text: server.offered_url
                    ? _t(
                          "The service says that AI tools reach it at %s.",
                          server.offered_url
                      )
                    : _t("The address that AI tools use to reach the service."),
                button: server.offered_url
                    ? _t("Use This Address")
                    : _t("Server Settings"),
                run: () =>
                    server.offered_url
                        ? this.settings("action_use_gateway_url")
                        : this.open("doorman.doorman_settings_action"),
            },
            connection: {
                name: _t("Connect the first tool"),
                text: _t(
                    "Choose the AI tool, the user it acts as and what it is allowed to do."
                ),
                button: _t("Connect a New Tool"),
                run: () => this.connect(),
            },
            enabled: {
                name: _t("Switch access on"),
                text: server.is_copy
                    ? _t("This database is a copy: review it first.")
                    : _t("Until then every AI tool is refused."),
                button: server.is_copy ? _t("Review Copy") : _t("Switch On"),
                run: () =>
                    this.settings(
                        server.is_copy ? "action_review_copy" : "action_enable"
                    ),
            },
            call: {
                name: _t("First call"),
                text: _t("Ask the AI tool something about your Odoo."),
                button: _t("Check Again"),
                run: () => this.reload(),
            },
        };
        const next = steps.find((step) => !step.done);
        return steps.map((step) => ({
            ...step,
            ...about[step.code],
            isNext: step === next,
        }));
    }

    get stepsLeft() {
        return this.state.data.steps.filter((step) => !step.done).length;
    }

    number(value) {
        return formatInteger(value);
    }

    when(value) {
        return value ? formatDateTime(deserializeDateTime(value)) : "";
    }

    share(value, list) {
        const most = Math.max(...list.map((line) => line.requests), 1);
        return `width: ${Math.max(2, Math.round((100 * value) / most))}%`;
    }

    keyText(key) {
        const when = this.when(key.expires);
        if (key.state === "expired") {
            return _t("Expired on %s", when);
        }
        return key.state === "ending" ? _t("Expires on %s", when) : _t("Never used");
    }

    // ---- what a click does ----

    reload() {
        return this.load(this.state.data.days);
    }

    open(xmlid, context = {}) {
        return this.action.doAction(xmlid, {additionalContext: context});
    }

    openAudit(context) {
        // The list has a filter for a week; a longer period begins with the newest.
        const week = this.state.data.days === 7 ? 1 : 0;
        return this.open("doorman.doorman_audit_action", {
            search_default_last_7_days: week,
            ...context,
        });
    }

    openTool(tool) {
        return this.action.doAction("doorman.doorman_audit_action", {
            additionalContext: {
                search_default_last_7_days: 1,
                search_default_tool: tool.name,
            },
        });
    }

    openRecord(model, id) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: model,
            res_id: id,
            views: [[false, "form"]],
        });
    }

    connect() {
        return this.action.doAction("doorman.doorman_connect_wizard_action", {
            onClose: () => this.reload(),
        });
    }

    async settings(method) {
        const next = await this.orm.call("doorman.settings", method, [[]]);
        if (next && next !== true) {
            await this.action.doAction(next, {onClose: () => this.reload()});
        }
        await this.reload();
    }
}

registry.category("actions").add("doorman.overview", Overview);

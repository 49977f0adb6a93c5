import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {session} from "@web/session";

// Approvers who are not MCP users have no menu of Doorman's.
registry.category("user_menuitems").add("doorman_decisions", (env) => ({
    type: "item",
    id: "doorman_decisions",
    description: _t("MCP approvals"),
    callback: () => env.services.action.doAction("doorman.doorman_my_decision_action"),
    show: () => session.doorman_decides,
    sequence: 45,
}));

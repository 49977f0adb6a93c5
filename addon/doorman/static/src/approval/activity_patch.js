import {Activity} from "@mail/core/web/activity";
import {ActivityListPopover} from "@mail/core/web/activity_list_popover";
import {ActivityListPopoverItem} from "@mail/core/web/activity_list_popover_item";
import {ActivityMenu} from "@mail/core/web/activity_menu";
import {patch} from "@web/core/utils/patch";
import {user} from "@web/core/user";
import {useState} from "@odoo/owl";

const APPROVAL = "doorman.approval";

/** Whether the page is the request itself: what would be done is before the person. */
function isOpen(env, id) {
    const root = env.model?.root;
    return root?.resModel === APPROVAL && root.resId === id;
}

/** Which state of the request the page shows, if it is a page of requests. */
function shownRevision(env, id) {
    const root = env.model?.root;
    if (root?.resModel !== APPROVAL) {
        return undefined;
    }
    const shown = root.resId ? [root] : root.records || [];
    return shown.find((record) => record.resId === id)?.data.revision;
}

/**
 * Done is not decided: the activity of a request offers Approve and Reject to whom it
 * asks, in place of Odoo's own buttons.
 *
 * Not the hooks of useService: the activity is gone once it is decided, and what a
 * component that is gone has asked for is never answered.
 */
const deciding = () => ({
    setup() {
        super.setup(...arguments);
        this.deciding = useState({busy: false});
    },

    get isApproval() {
        return this.props.activity.res_model === APPROVAL;
    },

    get isAsked() {
        const {state, user_id} = this.props.activity;
        return this.isApproval && state !== "done" && user_id?.id === user.userId;
    },

    approve() {
        const open = isOpen(this.env, this.props.activity.res_id);
        const method = open ? "action_approve" : "action_approve_or_open";
        return this.decide(method, (result) => {
            const {action} = this.env.services;
            if (result.type === "ir.actions.act_window") {
                // Opened, and not decided: this page is left as it is.
                this.props.onClickEditActivityButton?.();
                return action.doAction(result);
            }
            return action.doAction(result).then(() => this.onDecided());
        });
    },

    reject() {
        return this.decide("action_open_reject", (result) => {
            this.props.onClickEditActivityButton?.();
            return this.env.services.action.doAction(result, {
                onClose: () => this.onDecided(),
            });
        });
    },

    /** @param {Function} follow what is done with the action that the server returns */
    async decide(method, follow) {
        const {res_id} = this.props.activity;
        const revision = shownRevision(this.env, res_id);
        const context = revision === undefined ? {} : {doorman_revision: revision};
        this.deciding.busy = true;
        try {
            const {orm} = this.env.services;
            await follow(await orm.call(APPROVAL, method, [[res_id]], {context}));
        } finally {
            this.deciding.busy = false;
        }
    },

    onDecided() {
        const {activity, onActivityChanged} = this.props;
        const store = this.env.services["mail.store"];
        const thread = {model: activity.res_model, id: activity.res_id};
        onActivityChanged?.(store.Thread.insert(thread));
        store.fetchStoreData("systray_get_activities");
    },
});

patch(Activity.prototype, deciding());

patch(ActivityListPopoverItem.prototype, deciding());
patch(ActivityListPopoverItem.prototype, {
    get hasCancelButton() {
        return super.hasCancelButton && !this.isApproval;
    },

    get hasEditButton() {
        return super.hasEditButton && !this.isApproval;
    },

    get hasMarkDoneButton() {
        return super.hasMarkDoneButton && !this.isApproval;
    },
});

patch(ActivityListPopover.prototype, {
    get isApproval() {
        return this.props.resModel === APPROVAL;
    },
});

// A list is wider than a phone: cards have the two buttons in reach.
patch(ActivityMenu.prototype, {
    executeActivityAction(group, ...others) {
        const cards = group.model === APPROVAL && this.ui.isSmall;
        const shown = cards ? {...group, view_type: "kanban"} : group;
        return super.executeActivityAction(shown, ...others);
    },
});

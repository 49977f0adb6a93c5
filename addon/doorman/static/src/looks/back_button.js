import {Component} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {useService} from "@web/core/utils/hooks";

/**
 * Goes back a step of a dialog, and keeps what was typed. Odoo's own button would not, as
 * long as a required field of this step is empty.
 */
export class BackButton extends Component {
    static template = "doorman.BackButton";
    static props = {...standardWidgetProps};

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
    }

    async onClick() {
        const {resModel, resId} = this.props.record;
        const typed = await this.props.record.getChanges();
        if (Object.keys(typed).length) {
            await this.orm.write(resModel, [resId], typed);
        }
        this.action.doAction(await this.orm.call(resModel, "action_back", [[resId]]));
    }
}

registry.category("view_widgets").add("doorman_back", {component: BackButton});

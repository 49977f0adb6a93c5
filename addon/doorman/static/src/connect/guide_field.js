import {Component} from "@odoo/owl";
import {CopyButton} from "@web/core/copy_button/copy_button";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

/** What to do in the chosen AI tool, with everything to paste filled in. */
export class GuideField extends Component {
    static template = "doorman.GuideField";
    static components = {CopyButton};
    static props = {...standardFieldProps};

    setup() {
        this.copyText = _t("Copy");
        this.successText = _t("Copied");
    }

    get guide() {
        return this.props.record.data[this.props.name] || {steps: []};
    }
}

registry.category("fields").add("doorman_guide", {
    component: GuideField,
    displayName: _t("Steps"),
    supportedTypes: ["json"],
});

import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {CopyButton} from "@web/core/copy_button/copy_button";
import {Notebook} from "@web/core/notebook/notebook";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

class Snippet extends Component {
    static template = "doorman.Snippet";
    static components = {CopyButton};
    static props = {where: String, text: String, note: String};

    setup() {
        this.copyText = _t("Copy");
        this.successText = _t("Copied");
    }
}

/** What to paste into each client, one page a client. */
export class SnippetsField extends Component {
    static template = "doorman.SnippetsField";
    static components = {Notebook};
    static props = {...standardFieldProps};

    get pages() {
        const snippets = this.props.record.data[this.props.name] || [];
        return snippets.map(({code, title, where, text, note}) => ({
            Component: Snippet,
            id: code,
            name: code,
            title,
            props: {where, text, note},
        }));
    }
}

registry.category("fields").add("doorman_snippets", {
    component: SnippetsField,
    displayName: _t("Snippets to paste"),
    supportedTypes: ["json"],
});

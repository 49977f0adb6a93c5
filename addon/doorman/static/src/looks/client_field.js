import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

/** What AI tools call themselves, and an icon that tells them apart. */
const ICONS = [
    [/claude[ -]?code|codex|gemini[ -]?cli|cli\b/i, "fa-terminal"],
    [/claude|anthropic/i, "fa-asterisk"],
    [/chatgpt|openai/i, "fa-comments-o"],
    [/copilot/i, "fa-plane"],
    [/cursor/i, "fa-i-cursor"],
    [/vs ?code|visual studio|zed|windsurf|continue/i, "fa-code"],
    [/gemini|google/i, "fa-diamond"],
    [/n8n|make|zapier/i, "fa-sitemap"],
    [/inspector/i, "fa-search"],
];

export class ClientField extends Component {
    static template = "doorman.ClientField";
    static props = {...standardFieldProps};

    get name() {
        return this.props.record.data[this.props.name] || "";
    }

    get icon() {
        const known = ICONS.find(([pattern]) => pattern.test(this.name));
        return known ? known[1] : "fa-plug";
    }
}

registry.category("fields").add("doorman_client", {
    component: ClientField,
    displayName: _t("AI tool"),
    supportedTypes: ["char"],
});

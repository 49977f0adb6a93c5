import {Component, onWillStart, useState} from "@odoo/owl";
import {KanbanRenderer} from "@web/views/kanban/kanban_renderer";
import {ListRenderer} from "@web/views/list/list_renderer";
import {SearchModel} from "@web/search/search_model";
import {kanbanView} from "@web/views/kanban/kanban_view";
import {listView} from "@web/views/list/list_view";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";

/** Which connections there are to see. Of these filters one is chosen at a time. */
const ONE_OF = ["live", "revoked", "expired"];

/** A click on Revoked shows the revoked ones, also while Active is on. */
export class ConnectionSearchModel extends SearchModel {
    toggleSearchItem(searchItemId) {
        const nameOf = (id) => this.searchItems[id].name;
        const chosen = this.query.some((part) => part.searchItemId === searchItemId);
        if (!chosen && ONE_OF.includes(nameOf(searchItemId))) {
            this.query = this.query.filter(
                (part) => !ONE_OF.includes(nameOf(part.searchItemId))
            );
        }
        super.toggleSearchItem(searchItemId);
    }
}

/** Says so above the connections while no AI tool gets in, or none may change anything. */
export class AccessBanner extends Component {
    static template = "doorman.AccessBanner";
    static props = {};

    setup() {
        const orm = useService("orm");
        this.state = useState({});
        onWillStart(async () => {
            const now = await orm.call("doorman.connection", "access_state", []);
            Object.assign(this.state, now);
        });
    }
}

class ConnectionListRenderer extends ListRenderer {
    static template = "doorman.ConnectionListRenderer";
    static components = {...ListRenderer.components, AccessBanner};
}

class ConnectionKanbanRenderer extends KanbanRenderer {
    static template = "doorman.ConnectionKanbanRenderer";
    static components = {...KanbanRenderer.components, AccessBanner};
}

registry.category("views").add("doorman_connection_list", {
    ...listView,
    Renderer: ConnectionListRenderer,
    SearchModel: ConnectionSearchModel,
});

registry.category("views").add("doorman_connection_kanban", {
    ...kanbanView,
    Renderer: ConnectionKanbanRenderer,
    SearchModel: ConnectionSearchModel,
});

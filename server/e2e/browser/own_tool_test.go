package browser_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/e2e/kit"
)

const ownToolAction = "action-doorman.doorman_own_tool_action"

// ownTool makes a tool of a server action by clicking, lets an AI tool call it, and changes the action behind it.
func (b *backend) ownTool(t *testing.T) {
	id, key := b.connect(t, "With own tools", adminID)
	kit.AsAdmin(t, b.o, "doorman.connection", "write", []int64{id}, map[string]any{"scope_ids": []any{[]any{6, 0, b.scopes(t)}}})
	client := kit.Connect(t, b.s.MCP, key)
	offered := func() *sdk.Tool {
		tools, err := client.ListTools(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(tools.Tools, func(x *sdk.Tool) bool { return x.Name == "tag_customer" }); i >= 0 {
			return tools.Tools[i]
		}
		return nil
	}
	action := b.serverAction(t)

	p := browser(t, b.o, "admin")
	p.open(ownToolAction, ".o_list_view")
	p.see(".o_view_nocontent", "Turn a server action into a tool")
	p.click(".o_list_button_add")
	p.fill(".o_field_widget[name=title] input", "Tag a customer")
	p.fill(".o_field_widget[name=name] input", "Tag customer")
	p.fill(".o_field_widget[name=description] textarea", "Gives customers a reference that sales can search for.")
	p.do(chromedp.SendKeys(".o_field_widget[name=action_id] input", "Tag a customer"))
	p.click(`//*[contains(@class, "o-autocomplete--dropdown-item")][contains(., "Tag a customer")]`)
	p.see(".o_field_widget[name=model_name]", "res.partner")
	p.click(`.o_field_widget[name=parameter_ids] .o_field_x2many_list_row_add a`)
	p.fill(".o_field_widget[name=parameter_ids] td[name=name] input", "ref")
	p.fill(".o_field_widget[name=parameter_ids] td[name=description] input", "The reference, up to 20 letters")
	p.click(".o_form_button_save")
	p.see(".o_error_dialog, .modal", "Tag customer is not a valid tool name. Use 1 to 40 lowercase letters")
	p.shot("own-tool-refused", 1400, 900)
	p.click(".modal footer button, .o_error_dialog footer button")
	p.gone(".modal")
	p.fill(".o_field_widget[name=name] input", "tag_customer")
	p.click(".o_form_button_save")
	p.gone(".o_form_status_indicator_buttons:not(.invisible)")
	p.shot("own-tool-draft", 1400, 900)
	if offered() != nil {
		t.Error("a draft is offered to AI tools")
	}
	p.click("button[name=action_publish]")
	p.see(".modal", "Have you reviewed what it does?")
	p.click(".modal footer .btn-primary")
	p.see(".o_statusbar_status .o_arrow_button_current", "Published")
	p.shot("own-tool", 1400, 900)

	kit.Within(t, 40*time.Second, "AI tools see what was published", func() error { return kit.Unless(offered() != nil, "it is not listed") })
	if tool := offered(); tool.Description == "" || tool.Title != "Tag a customer" {
		t.Errorf("the AI tool sees %+v", tool)
	}
	said := kit.Must(t, client, "tag_customer", kit.Args{"ids": []int64{adminID + 1}, "ref": "VIP-1"})
	if said["result"] != "tagged" {
		t.Errorf("it says %v", said)
	}

	kit.AsAdmin(t, b.o, "ir.actions.server", "write", []int64{action}, map[string]any{"code": "result = env.user.login"})
	p.open(ownToolAction, ".o_list_view .o_data_row")
	p.see(".o_data_row td[name=state]", "Changed")
	p.click(".o_data_row td[name=name]")
	p.see(".o_form_view .alert", "Its server action has changed since it was published.")
	p.shot("own-tool-changed", 1400, 900)
	// It may still be listed for a moment; called it is not.
	if content, failed := kit.Call(t, client, "tag_customer", kit.Args{"ids": []int64{adminID + 1}, "ref": "VIP-2"}); failed == "" {
		t.Errorf("the changed action was run: %v", content)
	}
}

// scopes returns all that there are.
func (b *backend) scopes(t *testing.T) (ids []int64) {
	t.Helper()
	found := kit.AsAdmin(t, b.o, "doorman.scope", "search", []any{})
	if err := json.Unmarshal(found, &ids); err != nil || len(ids) == 0 {
		t.Fatalf("doorman.scope.search answered %s", found)
	}
	return ids
}

// serverAction makes what an own tool runs.
func (b *backend) serverAction(t *testing.T) int64 {
	t.Helper()
	var model, action []int64
	found := kit.AsAdmin(t, b.o, "ir.model", "search", []any{[]any{"model", "=", "res.partner"}})
	if err := json.Unmarshal(found, &model); err != nil || len(model) != 1 {
		t.Fatalf("ir.model.search answered %s", found)
	}
	made := kit.AsAdmin(t, b.o, "ir.actions.server", "create", []any{map[string]any{
		"name": "Tag a customer", "model_id": model[0], "state": "code",
		"code": "records.write({'ref': doorman['ref']})\nresult = 'tagged'",
	}})
	if err := json.Unmarshal(made, &action); err != nil || len(action) != 1 {
		t.Fatalf("ir.actions.server.create answered %s", made)
	}
	return action[0]
}

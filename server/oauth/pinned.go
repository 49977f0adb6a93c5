package oauth

import (
	"embed"
	"encoding/json"
	"fmt"

	"doorman/server/access"
)

// pinnedFiles are copies, of November 2026, of what well-known clients say of themselves, cut to what is used. They come before a fetch: the
// service then needs no way out to the Internet, and no vendor's bad day keeps people out. A redirect URI that a copy does
// not have is looked for in the document itself, so that a vendor's change does not need a new release.
//
//go:embed pinned/*.json
var pinnedFiles embed.FS

var pinned = loadPinned()

func loadPinned() map[string]access.OAuthClient {
	out := map[string]access.OAuthClient{}
	files, err := pinnedFiles.ReadDir("pinned")
	if err != nil {
		panic(err) // embedded: found by the first test that runs
	}
	for _, file := range files {
		body, err := pinnedFiles.ReadFile("pinned/" + file.Name())
		if err != nil {
			panic(err)
		}
		var id struct {
			ClientID string `json:"client_id"`
		}
		if err := json.Unmarshal(body, &id); err != nil {
			panic(fmt.Sprint(file.Name(), ": ", err))
		}
		client, err := parseDocument(id.ClientID, body)
		if _, ok := documentHost(id.ClientID); err != nil || !ok {
			panic(fmt.Sprint(file.Name(), ": ", err))
		}
		out[id.ClientID] = client
	}
	return out
}

package resources

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/maypok86/otter/v2/stats"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"golang.org/x/sync/singleflight"

	"doorman/server/access"
	"doorman/server/mcp/caller"
	"doorman/server/mcp/toolcall"
)

const (
	// namesTTL bounds how long a model's label may be old, or a right on a model that came without a change of groups.
	// It is for lists that people pick from; a call decides anew.
	namesTTL = 5 * time.Minute
	namesMax = 1_000
)

// openModel is a model that a connection may use and its user may read.
type openModel struct {
	Model string `json:"model"`
	Label string `json:"display_name"`
}

// namesKey is everything that the list of a connection hangs on.
type namesKey struct {
	connection, version, settings int64
	groups, registry              string
}

func namesKeyOf(s *access.Snapshot) namesKey {
	return namesKey{s.Connection.ID, s.Connection.Version, s.Settings.Version, s.User.Groups, s.Registry}
}

// namesCache keeps the models of connections, sorted by name: a client that completes what a person types asks at every
// letter.
type namesCache struct {
	cache *otter.Cache[namesKey, []openModel]
	asked singleflight.Group
}

func newNamesCache() *namesCache {
	return &namesCache{cache: otter.Must(&otter.Options[namesKey, []openModel]{
		MaximumSize: namesMax, StatsRecorder: stats.NewCounter(), ExpiryCalculator: otter.ExpiryWriting[namesKey, []openModel](namesTTL),
	})}
}

// modelNames returns the models of a caller, as list_models would: nothing for a caller who may not use that, or only with a
// person's approval. method is what the client asked for.
func (r *Resources) modelNames(ctx context.Context, who *caller.Caller, session *sdk.ServerSession, method string) ([]openModel, *access.Error) {
	t := r.calls.Catalog.Tool("list_models")
	if !access.MayUse(who.Snapshot(), t.Tool) {
		return nil, nil
	}
	key := namesKeyOf(who.Snapshot())
	if known, ok := r.names.cache.GetIfPresent(key); ok {
		return known, nil
	}
	// Together with those of the same credential only: a caller with one that was just revoked must not fail others.
	got, err, _ := r.names.asked.Do(fmt.Sprintf("%x %v", who.Proof[:], key), func() (any, error) {
		if known, ok := r.names.cache.GetIfPresent(key); ok {
			return known, nil // it came between the look above and this one
		}
		ctx, c, end := r.calls.Lookup(ctx, who, t, toolcall.Origin{Method: method, Session: session})
		defer end()
		return r.askNames(ctx, c)
	})
	if err != nil {
		if e := access.AsError(err); e.Kind != access.NotAllowed {
			return nil, e
		}
		return nil, nil
	}
	return got.([]openModel), nil
}

func (r *Resources) askNames(ctx context.Context, c *toolcall.Call) ([]openModel, error) {
	if err := c.Begin(ctx, ""); err != nil {
		return nil, err
	}
	reply, err := c.Do(ctx, access.Request{Method: "models"})
	var names []openModel
	switch {
	case err == nil:
		if err := json.Unmarshal(reply.Value, &names); err != nil {
			return nil, err
		}
	case access.AsError(err).Kind != access.PendingApproval:
		return nil, err
	}
	// That listing waits for a person is kept too: nobody is asked for it, and Odoo not at every letter.
	slices.SortFunc(names, func(a, b openModel) int { return strings.Compare(a.Model, b.Model) })
	r.names.cache.Set(namesKeyOf(c.Caller().Snapshot()), names)
	return names, nil
}

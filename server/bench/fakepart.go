package main

import (
	"context"
	"fmt"
	"os"
)

const (
	nameBare  = "bare go-sdk server"
	nameOther = "doorman (--other)"
)

// fakePart compares the service with a bare server of the same SDK.
func fakePart(ctx context.Context, o options, tools *toolbox) (*part, error) {
	say("Starting a fake Odoo, the service and a bare server ...")
	fake, err := startFake()
	if err != nil {
		return nil, err
	}
	defer fake.stop()
	bare, err := startBare(ctx, bareOdoo{URL: fake.url})
	if err != nil {
		return nil, err
	}
	defer bare.stop()
	service, err := startDoorman(ctx, tools.doorman, fake.url, "fake", "bench")
	if err != nil {
		return nil, err
	}
	defer service.stop()
	ways := []*way{mcpWay(nameBare, bare, fakeKey), mcpWay(nameDoorman, service, fakeKey)}
	if o.other != "" {
		other, err := startDoorman(ctx, o.other, fake.url, "fake", "bench")
		if err != nil {
			return nil, err
		}
		defer other.stop()
		ways = append(ways, mcpWay(nameOther, other, fakeKey))
	}
	p := &part{Title: "Fake Odoo that answers at once: the service's own cost", baseline: nameBare}
	if err := warmUp(ctx, ways); err != nil {
		return nil, err
	}
	before, err := odooRequests(ctx, service)
	if err != nil {
		return nil, err
	}
	fakeBefore := fake.calls.Load()
	if err := p.race(ctx, ways, service, []int{1, 32}, 2*o.rounds, o.slice()); err != nil {
		return nil, err
	}
	after, err := odooRequests(ctx, service)
	if err != nil {
		return nil, err
	}
	p.CallsPerTool = (after - before) / float64(p.requests(nameDoorman))
	// What arrived has to be what the service says it sent, and one a call from everybody else.
	arrived := float64(fake.calls.Load() - fakeBefore)
	if said := after - before + float64(p.requests(nameBare)+p.requests(nameOther)); o.other == "" && arrived != said {
		return nil, fmt.Errorf("the fake Odoo was asked %.0f times, the servers' own counts say %.0f", arrived, said)
	}
	p.Notes = append(p.Notes, fmt.Sprintf("Odoo calls per tool call, counted by the fake: %.3f",
		(arrived-float64(p.requests(nameBare)+p.requests(nameOther)))/float64(p.requests(nameDoorman))))
	bareMemory, err := bare.memory()
	if err != nil {
		return nil, err
	}
	p.Notes = append(p.Notes, fmt.Sprintf("the bare server holds %.1f MB, at most %.1f MB", bareMemory.RSS, bareMemory.Peak))
	return p, nil
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

package transport

import (
	"context"
	"encoding/json"
	"sync"
)

// session keeps the user id that /jsonrpc and XML-RPC want beside the key.
type session struct {
	login string
	ask   func(ctx context.Context, login string) (int64, error)

	mu  sync.Mutex
	uid int64 // 0 = not known
}

func newSession(o Options, ask func(context.Context, string) (int64, error)) *session {
	return &session{login: o.Login, ask: ask}
}

// do runs call with the user id. If Odoo refuses it, the id is asked for again, and the call is repeated only when the
// id is another one (the user was made anew): the refusal came before anything was done (service/model.py, dispatch),
// and a call refused with the right id would only be refused again.
func (s *session) do(ctx context.Context, call func(uid int64) (json.RawMessage, error)) (json.RawMessage, error) {
	uid, err := s.get(ctx)
	if err != nil {
		return nil, err
	}
	raw, err := call(uid)
	if err == nil || AsFailure(err).Class != KeyRefused {
		return raw, err
	}
	s.forget(uid)
	again, askErr := s.get(ctx)
	if askErr != nil {
		return nil, askErr
	}
	if again == uid {
		s.forget(uid)
		return nil, err
	}
	return call(again)
}

// get returns the id, asking Odoo when it is not known. Callers that come at once each ask: it is rare, and nobody has
// to wait for somebody else's deadline.
func (s *session) get(ctx context.Context) (int64, error) {
	s.mu.Lock()
	uid := s.uid
	s.mu.Unlock()
	if uid != 0 {
		return uid, nil
	}
	uid, err := s.ask(ctx, s.login)
	if err != nil {
		f := AsFailure(err)
		f.Sent = false // the call itself was not
		return 0, f
	}
	s.mu.Lock()
	s.uid = uid
	s.mu.Unlock()
	return uid, nil
}

// forget drops the id if it is still uid.
func (s *session) forget(uid int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.uid == uid {
		s.uid = 0
	}
}

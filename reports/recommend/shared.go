package recommend

import (
	"slices"
	"sync"
)

// What the shipped evidence says depends on nothing but the classes that are allowed. For all of
// them, as almost always asked, it is fitted once.
var (
	allPredictor = sync.OnceValues(func() (*predictor, error) { return newPredictor(readings(nil), nil) })
	allHeldOut   = sync.OnceValues(func() (*LeaveOneOut, error) {
		p, err := allPredictor()
		if err != nil {
			return nil, err
		}
		return leaveOneOut(readings(nil), p.law)
	})
)

// predictor returns the published laws of the request's evidence. It is shared and must not be
// changed.
func (r *Request) predictor() (*predictor, error) {
	if len(r.Evidence) == 0 {
		return allPredictor()
	}
	return newPredictor(readings(r.Evidence), nil)
}

// heldOut returns the held-out errors of the laws that [Request.predictor] returned; the caller
// owns it.
func (r *Request) heldOut(p *predictor) (*LeaveOneOut, error) {
	if len(r.Evidence) > 0 {
		return leaveOneOut(readings(r.Evidence), p.law)
	}
	shared, err := allHeldOut()
	if err != nil {
		return nil, err
	}
	own := *shared
	own.Rows = slices.Clone(shared.Rows)
	return &own, nil
}

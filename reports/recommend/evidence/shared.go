package evidence

import (
	"slices"
	"sync"
)

// publishedEvidence is the laws fitted to the shipped readings of some classes, and these by
// parameter count.
type publishedEvidence struct {
	*predictor
	known, widen map[int64][]*reading
}

// What the shipped evidence says depends on nothing but the score and the classes that are allowed.
// With the usual classes it is fitted once a score. Shared values must not be changed.
var (
	usualEvidence = [scores]func() (*publishedEvidence, error){
		onceEvidence(SuperGLUE), onceEvidence(Average), onceEvidence(GLUE), onceEvidence(SQuAD),
	}
	usualHeldOut = [scores]func() (*LeaveOneOut, error){
		onceHeldOut(SuperGLUE), onceHeldOut(Average), onceHeldOut(GLUE), onceHeldOut(SQuAD),
	}
)

func onceEvidence(s Score) func() (*publishedEvidence, error) {
	return sync.OnceValues(func() (*publishedEvidence, error) {
		return newPublishedEvidence(evidenceFor(s, nil))
	})
}

func onceHeldOut(s Score) func() (*LeaveOneOut, error) {
	return sync.OnceValues(func() (*LeaveOneOut, error) {
		e, err := usualEvidence[s]()
		if err != nil {
			return &LeaveOneOut{}, err
		}
		return leaveOneOut(e.rows, e.law)
	})
}

func newPublishedEvidence(rows, widening []reading) (*publishedEvidence, error) {
	p, err := newPredictor(rows, nil)
	if err != nil {
		return &publishedEvidence{}, err
	}
	return &publishedEvidence{p, byParams(p.rows), byParams(widening)}, nil
}

func byParams(rows []reading) map[int64][]*reading {
	out := map[int64][]*reading{}
	for i := range rows {
		n := int64(rows[i].traits.params)
		out[n] = append(out[n], &rows[i])
	}
	return out
}

// published returns the shipped evidence of a score and classes.
func (b *Basis) published() (*publishedEvidence, error) {
	if len(b.Evidence) == 0 {
		return usualEvidence[b.Score]()
	}
	return newPublishedEvidence(evidenceFor(b.Score, b.Evidence))
}

// heldOut returns the held-out errors of [Basis.published]; the caller owns it.
func (b *Basis) heldOut() (*LeaveOneOut, error) {
	if len(b.Evidence) > 0 {
		e, err := b.published()
		if err != nil {
			return &LeaveOneOut{}, err
		}
		return leaveOneOut(e.rows, e.law)
	}
	shared, err := usualHeldOut[b.Score]()
	if err != nil {
		return shared, err
	}
	own := *shared
	own.Rows = slices.Clone(shared.Rows)
	return &own, nil
}

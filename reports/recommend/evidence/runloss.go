package evidence

import (
	"errors"
	"fmt"

	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// RunLoss returns the loss that a fitted law predicts for the end of a planned run, with what the law
// rests on. A law whose tokens are positions of both stacks reads them so. The error says why none is
// predicted.
func RunLoss(a *plan.Answer, law *learn.Law) (loss quantity.Interval, source string, err error) {
	tokens, work := a.Schedule.Tokens.Interval, a.RunFLOPs.Interval
	if tokens == nil || work == nil {
		return loss, "", errors.New("the length of the run is not known")
	}
	positions, source := tokens.Value, law.Source
	s, w := &a.Run.Shape, a.Run.Workload
	if law.BothStacks && s.Encoder.Layers > 0 && s.Decoder.Layers > 0 {
		positions *= float64(w.EncoderLength+w.DecoderLength) / float64(w.EncoderLength)
		source += fmt.Sprintf("; its tokens are positions of both stacks, here %s",
			quantity.Format(quantity.Tokens, positions, 3))
	}
	loss, err = PredictLoss(law.Result, s, positions, work.Value)
	return loss, source, err
}

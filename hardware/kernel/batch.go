package kernel

import (
	"fmt"
	"math"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/vec"
)

// Batch is the data of one step, sequence after sequence.
type Batch struct {
	Inputs    []int32 // B×Se tokens of the encoder
	InputMask []bool  // B×Se: false for padding, which nothing attends to; nil for no padding
	// B×Sd tokens to predict; the decoder reads them shifted by one position, behind token 0
	Targets []int32
	// B×Sd: false for positions that do not count in the loss; nil for none of those
	TargetLoss []bool
}

// startToken is what the decoder reads first, T5's padding token.
const startToken = 0

// feed is a batch as the operations read it, copied so that the caller may reuse his.
type feed struct {
	inputs, shifted, targets []int32
	mask                     []float32 // 0 or vec.Masked a key position of the encoder
	weights                  []float32 // 0 or 1 a target
	losses                   []vec.RowLoss
	gradScale                float64 // 1/(targets that count)
}

func newFeed(sources, targets int) feed {
	return feed{
		inputs: make([]int32, sources), mask: make([]float32, sources),
		shifted: make([]int32, targets), targets: make([]int32, targets),
		weights: make([]float32, targets),
		losses:  make([]vec.RowLoss, targets),
	}
}

// load checks a batch and copies it. The error is a [*BatchError].
func (f *feed) load(b *Batch, vocab, decoderLength int) error {
	if err := fits("inputs", b.Inputs, f.inputs, vocab); err != nil {
		return err
	}
	if err := fits("targets", b.Targets, f.targets, vocab); err != nil {
		return err
	}
	if err := maskFits("input mask", b.InputMask, len(f.mask)); err != nil {
		return err
	}
	if err := maskFits("target loss", b.TargetLoss, len(f.weights)); err != nil {
		return err
	}
	copy(f.inputs, b.Inputs)
	copy(f.targets, b.Targets)
	for n := range f.mask {
		f.mask[n] = 0
		if b.InputMask != nil && !b.InputMask[n] {
			f.mask[n] = vec.Masked
		}
	}
	counted := 0
	for n := range f.targets {
		f.shifted[n] = startToken
		if n%decoderLength != 0 {
			f.shifted[n] = b.Targets[n-1]
		}
		f.weights[n] = 0
		if b.TargetLoss == nil || b.TargetLoss[n] {
			f.weights[n] = 1
			counted++
		}
	}
	if counted == 0 {
		return &BatchError{"target loss", "false everywhere", "at least one position that counts"}
	}
	f.gradScale = 1 / float64(counted)
	return nil
}

func fits(field string, tokens, want []int32, vocab int) error {
	if len(tokens) != len(want) {
		return &BatchError{field, fmt.Sprintf("%d tokens", len(tokens)), fmt.Sprint(len(want))}
	}
	for n, id := range tokens {
		if id < 0 || int(id) >= vocab {
			return &BatchError{
				fmt.Sprintf("%s[%d]", field, n), fmt.Sprintf("token %d", id), fmt.Sprintf("0 to %d", vocab-1),
			}
		}
	}
	return nil
}

func maskFits(field string, mask []bool, want int) error {
	if mask != nil && len(mask) != want {
		return &BatchError{
			field, fmt.Sprintf("%d positions", len(mask)), fmt.Sprintf("%d, or none", want),
		}
	}
	return nil
}

// loss returns the mean loss of the targets that count, in nats, with and without the z-loss.
func (f *feed) loss() (total, nll float64) {
	sum := vec.SumLoss(f.losses)
	return (sum.NLL + sum.Z) * f.gradScale, sum.NLL * f.gradScale
}

// finite reports whether x is a number that can be compared.
func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

package hardware

import (
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/suggest"
)

// FineTuning is the batch and the length of fine-tuning on a benchmark.
type FineTuning struct {
	Name     string
	Workload flops.Workload
	Steps    float64
}

// fineTunings are the set-ups of the T5 library: lengths of its task mixtures, and the batch of
// 2^16 input tokens and the 2^18 steps of Raffel et al. 2020 (arXiv 1910.10683, section 3.1.2).
var fineTunings = []FineTuning{
	{"glue", flops.Workload{Batch: 128, EncoderLength: 512, DecoderLength: 84}, 1 << 18},
	{"superglue", flops.Workload{Batch: 128, EncoderLength: 512, DecoderLength: 62}, 1 << 18},
	{"squad", flops.Workload{Batch: 128, EncoderLength: 512, DecoderLength: 97}, 1 << 18},
}

// Examples returns how many training examples the tasks of the set-up have together (sources in
// facts/finetuning_sets.csv).
func (f *FineTuning) Examples() float64 {
	sum := 0
	for _, s := range data.FineTuningSets() {
		if s.Preset == f.Name {
			sum += s.Examples
		}
	}
	return float64(sum)
}

// FindFineTuning returns the set-up of a name, in any letter case. The error is a [*PresetError].
func FindFineTuning(name string) (FineTuning, error) {
	var names []string
	for _, f := range fineTunings {
		if strings.EqualFold(f.Name, name) {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return FineTuning{}, &PresetError{Name: name, Allowed: names, Nearest: suggest.Nearest(name, names)}
}

// PresetError says that a name means no fine-tuning set-up.
type PresetError struct {
	Name    string
	Allowed []string
	Nearest string
}

func (e *PresetError) Error() string {
	return fmt.Sprintf("unknown fine-tuning set-up: %q%s; allowed: %s", e.Name,
		suggest.Hint(e.Nearest), strings.Join(e.Allowed, ", "))
}

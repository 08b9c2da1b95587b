package kernel

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/pool"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/probe"
)

// Progress is what a record needs of the steps before a checkpoint.
type Progress struct{ Loss, StepSeconds float64 }

// PathField is the instruction path among the fields that a [MixedError] names.
const PathField = "path"

// Keys of a checkpoint's metadata for [Progress].
const lossKey, stepSecondsKey = "train_loss", "step_seconds"

// choices are what must be the same for a resumed run to be the same run. text is the [TextID] of
// what is trained on.
func (t *Trainer) choices(text string) []Field {
	m := t.Model
	recipe := NewRecipe(&m.options, t.Schedule, text)
	return append([]Field{
		{Name: "architecture", Value: shapeID(&m.shape)},
		{Name: "seed", Value: strconv.FormatUint(m.options.Seed, 10)},
		{Name: PathField, Value: m.path.String()},
	}, recipe.fields()...)
}

// Save writes a checkpoint from which [Trainer.Resume] goes on.
func (t *Trainer) Save(w io.Writer, text string, now Progress) error {
	metadata := map[string]string{}
	for key, v := range map[string]float64{lossKey: now.Loss, stepSecondsKey: now.StepSeconds} {
		metadata[key] = strconv.FormatFloat(v, 'g', -1, 64)
	}
	for _, choice := range t.choices(text) {
		metadata[choice.Name] = choice.Value
	}
	return t.Model.Save(w, metadata)
}

// Resume goes on from a checkpoint with the same losses as a run that was never stopped. One that was
// written under other choices is refused with a [*MixedError]: its losses would be those of neither
// run. Other errors are those of [Model.Load], and a [*CheckpointError] for one that [Trainer.Save] did
// not write.
func (t *Trainer) Resume(name string, in io.Reader, text string) (was Progress, err error) {
	read, err := t.Model.Load(name, in)
	if err != nil {
		return was, err
	}
	for _, now := range t.choices(text) {
		if read[now.Name] != now.Value {
			return was, &MixedError{What: name, Field: now.Name, Was: read[now.Name], Want: now.Value}
		}
	}
	for key, at := range map[string]*float64{lossKey: &was.Loss, stepSecondsKey: &was.StepSeconds} {
		if *at, err = strconv.ParseFloat(read[key], 64); err != nil {
			return was, &CheckpointError{
				Name: name, Problem: "has no " + key, Value: strconv.Quote(read[key]), Want: "a number",
			}
		}
	}
	return was, nil
}

// UsualRate is the learning rate of an optimizer where none is stated.
func UsualRate(o Optimizer) float64 {
	if o == Adafactor {
		return 1e-2
	}
	return 1e-3
}

// HoldOut splits a text into what is trained on and the last tenth, which is held out.
func HoldOut(text []byte) (training, heldOut []byte) {
	cut := len(text) - len(text)/10
	return text[:cut], text[cut:]
}

// Recorded says whether a text of JSON lines holds the record of a run; other lines may be anything.
func (r *Record) Recorded(text []byte) bool {
	for line := range bytes.Lines(text) {
		some, err := ReadRecords("", bytes.NewReader(line))
		if err == nil && len(some) == 1 && some[0].SameRun(r) {
			return true
		}
	}
	return false
}

// Line is the record as [WriteRecord] writes it.
func (r *Record) Line() string {
	var line bytes.Buffer
	if err := WriteRecord(&line, *r); err != nil {
		return fmt.Sprintf("not written: %v", err)
	}
	return string(bytes.TrimSpace(line.Bytes()))
}

// MeasuredPeak probes what the model's threads can do at most, in FLOP/s.
func (m *Model) MeasuredPeak(now func() time.Time) float64 {
	workers := pool.New(m.Threads())
	defer workers.Close()
	return probe.PeakFLOPsPerSecond(workers, m.path, now)
}

package kernel

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"
)

// Record is what one training run came to, one line of JSON. The names are those that readers of
// run records know.
type Record struct {
	Shape       string  `json:"shape"`
	Params      int64   `json:"params"`
	Tokens      int64   `json:"tokens"` // positions of both stacks over all steps, padding included
	FLOPs       float64 `json:"flops"`  // of the whole run, under the caller's convention
	Loss        float64 `json:"loss"`   // on held-out data, in nats a target
	TrainLoss   float64 `json:"train_loss"`
	Steps       int     `json:"steps"`
	StepSeconds float64 `json:"step_seconds"` // median
	Recipe
	Seed    uint64 `json:"seed"`
	Path    string `json:"path"` // instruction path; generic is the slow plain-Go fallback
	Threads int    `json:"threads"`
	Machine string `json:"machine"`
	Date    string `json:"date"` // RFC 3339, UTC
}

// RecordInfo is what a record holds and the trainer cannot know.
type RecordInfo struct {
	Text        string  // see [TextID]
	FLOPs       float64 // of the run
	Loss        float64 // on held-out data
	TrainLoss   float64
	StepSeconds float64
	Machine     string
	Now         time.Time
}

// Record returns the record of the run so far.
func (t *Trainer) Record(info RecordInfo) Record {
	m := t.Model
	return Record{
		Shape: m.shape.Name, Params: m.Parameters(),
		Tokens: int64(m.steps) * int64(m.positionsPerStep()), FLOPs: info.FLOPs,
		Loss: info.Loss, TrainLoss: info.TrainLoss, Steps: m.steps, StepSeconds: info.StepSeconds,
		Recipe: NewRecipe(&m.options, t.Schedule, info.Text), Seed: m.options.Seed,
		Path: m.path.String(), Threads: m.options.Threads,
		Machine: info.Machine, Date: info.Now.UTC().Format(time.RFC3339),
	}
}

// SameRun says whether two records are of one run, whatever the machine.
func (r *Record) SameRun(o *Record) bool {
	return r.Shape == o.Shape && r.Steps == o.Steps && r.Seed == o.Seed && r.Recipe == o.Recipe
}

// WriteRecord writes one line, in one call of w.Write.
func WriteRecord(w io.Writer, r Record) error {
	for _, x := range []float64{r.FLOPs, r.Loss, r.TrainLoss, r.StepSeconds} {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("record of %s: %v is not a number that can be written", r.Shape, x)
		}
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// maxRecordBytes is far above any line that WriteRecord writes.
const maxRecordBytes = 1 << 20

// ReadRecords reads lines of [WriteRecord]. Errors name the line.
func ReadRecords(name string, r io.Reader) ([]Record, error) {
	var records []Record
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxRecordBytes)
	n := 0
	for lines.Scan() {
		n++
		if len(lines.Bytes()) == 0 {
			continue
		}
		var record Record
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			return nil, fmt.Errorf("%s:%d: not a run record: %w", name, n, err)
		}
		records = append(records, record)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, n+1, err)
	}
	return records, nil
}

package records

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
)

// trainerState reads the log of a Hugging Face trainer_state.json: one row a step, in which the
// training and the evaluation entry of the step are joined. The run is the folder of the file, or
// the file where no folder is known.
func (b *builder) trainerState(name string, history []any) error {
	b.begin(part{path: runOf(name)}, "trainer states")
	step, rows := "", b.Len()
	held := map[string]any{}
	for i, item := range history {
		fields, ok := item.(map[string]any)
		at, known := fields["step"].(json.Number)
		if !ok || !known {
			b.lose(name, i+1, "the entry has no step")
			continue
		}
		joins := b.Len() > rows && at.String() == step
		for key, v := range fields {
			if before, twice := held[key]; joins && twice && fmt.Sprint(before) != fmt.Sprint(v) {
				joins = false // another attempt at the step
			}
		}
		if !joins {
			b.row(i + 1)
			step, held = at.String(), map[string]any{}
		}
		maps.Copy(held, fields)
		b.flatten("log", "", fields, 0)
	}
	if b.Len() == rows {
		return &Error{File: name, Problem: "log_history has no entries with a step"}
	}
	return nil
}

// runOf is where the run of a log lies: its folder, or the file where no folder is known.
func runOf(name string) string {
	if folder := path.Dir(name); folder != "." && folder != "/" {
		return folder
	}
	return name
}

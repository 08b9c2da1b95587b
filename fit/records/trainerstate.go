package records

import (
	"encoding/json"
	"path"
)

// readTrainerState reads the log of a Hugging Face trainer_state.json: one row a step, in which the
// training and the evaluation entry of the step are joined. ok is false when the file is no such
// state. The run is the folder of the file, or the file's name without one.
func readTrainerState(name string, text []byte) (t *Table, ok bool, err error) {
	var state struct {
		History *[]json.RawMessage `json:"log_history"`
	}
	if json.Unmarshal(text, &state) != nil || state.History == nil {
		return nil, false, nil
	}
	run := runOf(name)
	b := builder{table: newTable(nil), at: map[string]*column{}}
	step := ""
	for i, item := range *state.History {
		fields, err := decodeObject(item)
		if err != nil {
			b.table.Lost = append(b.table.Lost, Lost{Origin{name, i + 1}, err.Error()})
			continue
		}
		at, known := fields["step"].(json.Number)
		if !known {
			b.table.Lost = append(b.table.Lost, Lost{Origin{name, i + 1}, "the entry has no step"})
			continue
		}
		if b.table.Len() == 0 || at.String() != step {
			b.row(Origin{name, i + 1})
			b.put("run", run)
			step = at.String()
		}
		b.flatten("", fields)
	}
	if b.table.Len() == 0 {
		return nil, true, &Error{File: name, Problem: "log_history has no entries with a step"}
	}
	return b.table, true, nil
}

// runOf names the run that a log belongs to: its folder, or the file where no folder is known.
func runOf(name string) string {
	if run := path.Base(path.Dir(name)); run != "." && run != "/" {
		return run
	}
	return path.Base(name)
}

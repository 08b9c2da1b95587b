package records

import "strings"

// meltWandb turns the CSV that a wandb chart exports into one row a run and step: its columns are a
// step and, for each run, "run - metric" with the bounds "run - metric__MIN" and "run -
// metric__MAX", which are left out. A table that is no such export is returned as it is.
func meltWandb(t *Table) *Table {
	if len(t.columns) < 2 {
		return t
	}
	type series struct {
		run, metric string
		column      *column
	}
	var all []series
	bounds := false
	for _, c := range t.columns[1:] {
		at := strings.LastIndex(c.heading, " - ")
		if at <= 0 {
			return t
		}
		run, metric := c.heading[:at], c.heading[at+len(" - "):]
		if strings.HasSuffix(metric, "__MIN") || strings.HasSuffix(metric, "__MAX") {
			bounds = true
			continue
		}
		all = append(all, series{run, metric, c})
	}
	if !bounds || len(all) == 0 {
		return t
	}
	b := builder{table: newTable(nil), at: map[string]*column{}}
	b.table.Lost, b.table.Warnings = t.Lost, t.Warnings
	step := t.columns[0]
	name := fold(step.heading)
	if name == "step" || strings.HasSuffix(name, "_step") || strings.HasSuffix(name, "/step") {
		name = "step"
	} else {
		name = step.heading
	}
	var runs []string
	byRun := map[string][]series{}
	for _, s := range all {
		if byRun[s.run] == nil {
			runs = append(runs, s.run)
		}
		byRun[s.run] = append(byRun[s.run], s)
	}
	for _, run := range runs {
		for row, origin := range t.origins {
			recorded := false
			for _, s := range byRun[run] {
				if s.column.text[row] == "" {
					continue
				}
				if !recorded {
					b.row(origin)
					b.put("run", run)
					b.put(name, step.text[row])
					recorded = true
				}
				b.put(s.metric, s.column.text[row])
			}
		}
	}
	return b.table
}

package records

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// settle tells the runs apart and takes out copies, deleted rows and abandoned attempts.
func (b *builder) settle(key string) error {
	b.gone()
	b.copies()
	if err := b.identify(key); err != nil {
		return err
	}
	b.attempts()
	b.summarize()
	return nil
}

// yes is how tables say that something holds.
var yes = []string{"true", "1", "yes", "y", "t"}

// goneColumns are what trackers export to mark a run as deleted, and the values that say so.
var goneColumns = map[string][]string{
	"lifecycle_stage": {"deleted"}, "sys_trashed": yes, "trashed": yes,
	"is_deleted": yes, "deleted": yes, "is_archived": yes, "archived": yes,
}

// gone takes out the rows of tables that a tracker marks as deleted.
func (b *builder) gone() {
	reasons := map[int]string{}
	for _, c := range b.columns {
		values := goneColumns[fold(strings.TrimPrefix(fold(c.heading), "run_"))]
		if values == nil {
			continue
		}
		for row := range b.Len() {
			if cell := strings.ToLower(c.cells.at(row)); cell != "" && slices.Contains(values, cell) &&
				b.parts[b.rows[row].part].table {
				reasons[row] = "deleted in the tracker: " + c.heading + " is " + c.cells.at(row)
			}
		}
	}
	if len(reasons) > 0 {
		b.warn("not read, as marked as deleted: %s", quantity.Of(len(reasons), "row"))
	}
	b.Table.lose(reasons)
}

// identify gives every row its run. A part of a tracker's log is a run: its name where no other run
// has it, else its name and key, or its path. A row of a table belongs to the run that its key says
// and, where rows of one name differ in what a run cannot change, to one of several.
func (b *builder) identify(key string) error {
	keys := make([]string, b.Len())  // what tells runs apart
	shown := make([]string, b.Len()) // how they are called
	var err error
	switch key {
	case "", "auto", "path", "id", "name", "experiment":
		b.partKeys(key, keys, shown)
	default:
		err = b.columnKeys(key, keys, shown)
	}
	if err != nil {
		return err
	}
	b.number(keys, shown)
	return nil
}

// columnKeys takes the cells of columns as the run.
func (b *builder) columnKeys(key string, keys, shown []string) error {
	for i, name := range strings.Split(key, ",") {
		cells, err := b.Text(strings.TrimSpace(name))
		if err != nil {
			return err
		}
		for row := range keys {
			if i > 0 {
				keys[row] += ", "
			}
			keys[row] += cells[row]
			shown[row] = keys[row]
		}
	}
	return nil
}

// keysOf are the keys that runs of a name have.
type keysOf map[string]map[string]bool

func (k keysOf) add(name, key string) {
	if k[name] == nil {
		k[name] = map[string]bool{}
	}
	k[name][key] = true
}

func (b *builder) partKeys(key string, keys, shown []string) {
	var paths []string
	names := keysOf{}
	of := func(p *part) (k string) {
		switch {
		case key == "name" && p.name != "":
			return p.name
		case key == "experiment" && p.experiment != "":
			return p.experiment
		case key != "path" && p.id != "":
			return p.id
		}
		return p.path
	}
	used := make([]bool, len(b.parts))
	for _, r := range b.rows {
		used[r.part] = true
	}
	for i := range b.parts {
		if p := &b.parts[i]; used[i] && !p.table {
			paths = append(paths, p.path)
			if p.name != "" {
				names.add(p.name, of(p))
			}
		}
	}
	tables := map[string]bool{}
	for i := range b.parts {
		if used[i] && b.parts[i].table {
			tables[b.parts[i].path] = true
		}
	}
	if len(tables) > 1 || len(paths) > 0 {
		paths = slices.AppendSeq(paths, maps.Keys(tables))
	}
	label := labels(paths)
	shared := 0
	called := make([]string, len(b.parts))
	for i := range b.parts {
		p := &b.parts[i]
		switch {
		case p.table:
			continue
		case key == "path" || p.name == "" && p.id == "":
			called[i] = label[p.path]
		case key == "name" || key == "experiment":
			called[i] = of(p)
		case p.name == "":
			called[i] = p.id
		case len(names[p.name]) > 1:
			called[i] = p.name + " (" + p.id[:min(len(p.id), 12)] + ")"
			if p.id == "" {
				called[i] = label[p.path]
			}
			if used[i] {
				shared++
			}
		default:
			called[i] = p.name
		}
	}
	if shared > 0 {
		b.warn("%d runs share their name with another: they are told apart by their key", shared)
	}
	for row, r := range b.rows {
		if p := &b.parts[r.part]; !p.table {
			keys[row], shown[row] = "\x00"+of(p), called[r.part]
		}
	}
	b.tableKeys(key, keys, shown, label)
}

// tableKeys gives the rows of tables their runs.
func (b *builder) tableKeys(key string, keys, shown []string, label map[string]string) {
	pick := func(names []string) *column {
		for _, n := range names {
			for _, c := range b.columns {
				f := fold(c.head.name)
				if i := strings.LastIndex(f, "tags_mlflow_"); i >= 0 {
					f = strings.ReplaceAll(f[i:], "tags_mlflow_runname", "run_name")
				}
				if f == n {
					return c
				}
			}
		}
		return nil
	}
	id, name := pick(idColumns), pick(nameColumns)
	if key == "name" {
		id = nil
	}
	if key == "path" {
		id, name = nil, nil
	}
	_, noStep := b.find("step")
	file := map[string]int32{}     // the first part that has a name
	elsewhere := map[string]bool{} // names that another part has too
	ids := keysOf{}
	any := false
	for row, r := range b.rows {
		p := &b.parts[r.part]
		if !p.table {
			continue
		}
		k, called := "", ""
		if name != nil {
			k = name.cells.at(row)
			called = k
		}
		if id != nil && id.cells.at(row) != "" {
			k = id.cells.at(row)
			if called == "" {
				called = k
			} else {
				ids.add(called, k)
			}
		}
		if k == "" && (noStep == nil || key == "path") && label[p.path] != "" {
			k, called = "\x00"+p.path, label[p.path]
		}
		keys[row], shown[row] = k, called
		if k != "" && k[0] != 0 {
			any = true
			if first, ok := file[k]; !ok {
				file[k] = r.part
			} else if first != r.part {
				elsewhere[k] = true
			}
		}
	}
	if !any {
		return
	}
	shared := 0
	for called, of := range ids {
		if called != "" && len(of) > 1 {
			shared += len(of)
		}
	}
	if shared > 0 {
		b.warn("%d runs share their name with another: they are told apart by %s", shared, id.heading)
	}
	several := 0
	for row, r := range b.rows {
		if !b.parts[r.part].table {
			continue
		}
		if len(ids[shown[row]]) > 1 {
			shown[row] += " (" + keys[row][:min(len(keys[row]), 12)] + ")"
		}
		if noStep != nil && elsewhere[keys[row]] {
			several++
			keys[row] += "\x00" + b.parts[r.part].path
			shown[row] += " (" + label[b.parts[r.part].path] + ")"
		}
	}
	if several > 0 {
		b.warn("%d rows are of runs whose name is in several files: they are told apart by the file",
			several)
	}
	if key == "" || key == "auto" {
		b.splitShapes(keys, shown)
	}
}

// splitShapes tells runs of one name apart that differ in what a run cannot change.
func (b *builder) splitShapes(keys, shown []string) {
	for _, name := range shapeColumns {
		c, err := b.find(name)
		if err != nil {
			continue
		}
		first, several := map[string]string{}, map[string]bool{}
		for row, r := range b.rows {
			cell := c.cells.at(row)
			if keys[row] == "" || cell == "" || !b.parts[r.part].table {
				continue
			}
			if value, ok := first[keys[row]]; !ok {
				first[keys[row]] = cell
			} else if value != cell {
				several[keys[row]] = true
			}
		}
		split := map[string]bool{}
		for row, r := range b.rows {
			cell := c.cells.at(row)
			if cell == "" || !several[keys[row]] || !b.parts[r.part].table {
				continue
			}
			split[shown[row]] = true
			keys[row] += "\x00" + name + "=" + cell
			shown[row] += " (" + c.heading + " " + cell + ")"
		}
		if len(split) > 0 {
			b.warn("%s of several runs, whose rows differ in %s (the first is %s); --run-key says what tells runs apart",
				quantity.Of(len(split), "name"), c.heading, slices.Sorted(maps.Keys(split))[0])
		}
	}
}

// number makes numbers of keys.
func (b *builder) number(keys, shown []string) {
	at, called := map[string]int32{}, map[string]int{}
	b.runOf = make([]int32, len(keys))
	b.runs = nil
	none := true
	for row, k := range keys {
		if k == "" {
			b.runOf[row] = -1
			continue
		}
		none = false
		n, known := at[k]
		if !known {
			n = int32(len(b.runs))
			at[k] = n
			label := shown[row]
			if called[label]++; called[label] > 1 {
				label += fmt.Sprintf(" #%d", called[label])
			}
			b.runs = append(b.runs, strings.Clone(label))
		}
		b.runOf[row] = n
	}
	if none {
		b.runOf = nil
	}
}

// Runs returns the run of each row, empty where none is known.
func (t *Table) Runs() []string {
	out := make([]string, t.Len())
	for row := range t.runOf {
		if n := t.runOf[row]; n >= 0 {
			out[row] = t.runs[n]
		}
	}
	return out
}

// summarize says how many runs were seen, and from where.
func (b *builder) summarize() {
	var from []string
	for _, k := range slices.Sorted(maps.Keys(b.found)) {
		what := k
		if b.found[k] == 1 {
			what = strings.Replace(strings.Replace(k, "runs", "run", 1), "folders", "folder", 1)
			what = strings.TrimSuffix(what, "s")
			if strings.HasSuffix(k, "events") || strings.HasSuffix(k, "charts") {
				what += "s"
			}
		}
		from = append(from, fmt.Sprintf("%d %s", b.found[k], what))
	}
	seen := map[int32]bool{}
	for _, n := range b.runOf {
		if n >= 0 {
			seen[n] = true
		}
	}
	runs := ""
	if n := len(seen); n > 0 {
		runs = " of " + quantity.Of(n, "run")
	}
	b.Found = fmt.Sprintf("%s%s from %s", quantity.Of(b.Len(), "row"), runs, strings.Join(from, ", "))
}

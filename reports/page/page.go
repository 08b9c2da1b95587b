package page

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Head is what the first lines of a page say.
type Head struct {
	Title string
	Date  string // as it is shown; empty for none
}

// Write writes one page with a section for each source, in order, and before them the plans of all
// sources side by side.
func Write(w io.Writer, head Head, sources []Source) error {
	v, err := viewOf(head, sources)
	if err != nil {
		return err
	}
	v.nameLinks()
	var m markup
	m.page(v)
	_, err = w.Write(m.text.Bytes())
	return err
}

// levelNote says what intervals are.
const levelNote = "Intervals are 80 % unless a table says otherwise."

func viewOf(head Head, sources []Source) (*view, error) {
	v := &view{Head: head}
	var plans []*result.Plan
	for i, source := range sources {
		d, err := decode(source)
		if err != nil {
			return nil, err
		}
		if n := len(d.Results); n > mostResults {
			return nil, fmt.Errorf("%s: holds %d results; allowed: at most %d", source.Name, n, mostResults)
		}
		s, err := sectionOf(fmt.Sprintf("s%d", i+1), source.Name, d)
		if err != nil {
			return nil, fmt.Errorf("%s: is not a result of %s: %w", source.Name, d.Command(), err)
		}
		v.Sections, plans = append(v.Sections, s), append(plans, s.plans...)
		if !strings.Contains(v.Version, d.Tool.Version) {
			v.Version = strings.TrimPrefix(v.Version+", "+d.Tool.Version, ", ")
		}
	}
	if len(plans) > 1 {
		v.Sections = slices.Insert(v.Sections, 0, comparison(plans))
	}
	return v, nil
}

// nameLinks names the links to sections, those of the same heading by their file too.
func (v *view) nameLinks() {
	times := map[string]int{}
	for i := range v.Sections {
		times[v.Sections[i].Heading]++
	}
	for i := range v.Sections {
		s := &v.Sections[i]
		if s.Link = s.Heading; times[s.Heading] > 1 {
			s.Link += " (" + s.File + ")"
		}
	}
}

// kinds says what the section of each command is called and how it is filled; the results of all
// others are shown field by field.
var kinds = map[string]struct {
	heading string
	fill    func(*section, *result.Saved) error
}{
	"count":     {"What the shapes cost", (*section).counts},
	"plan":      {"The planned run", (*section).planned},
	"recommend": {"What else to train", (*section).recommendations},
	"check":     {"The check", (*section).findings},
	"diff":      {"What the change changes", (*section).differences},
	"fit":       {"The fitted laws", (*section).fits},
	"allocate":  {"Model and data for a budget", (*section).allocations},
	"transfer":  {"From loss to score", (*section).transfers},
	"track":     {"The run against its plan", (*section).tracked},
	"validate":  {"Predicted against measured", (*section).anything},
	"isoflop":   {"Best size at each budget", (*section).isoflops},
	"envelope":  {"Best size along the front", (*section).envelopes},
}

// mostResults of a document are shown: a browser takes seconds for as many rows. 5,000 configurations
// with ten rules are as many findings.
const mostResults = 50_000

func sectionOf(id, file string, d *result.Saved) (section, error) {
	command := d.Command()
	s := section{ID: id, File: file, Heading: command, Warnings: d.Warnings}
	s.Command, _ = d.Inputs["command"].(string)
	for _, key := range slices.Sorted(maps.Keys(d.Conventions)) {
		s.Terms = append(s.Terms, pair{key, fmt.Sprint(d.Conventions[key])})
	}
	kind, known := kinds[command]
	if !known {
		return s, s.anything(d)
	}
	s.Heading = kind.heading
	return s, kind.fill(&s, d)
}

// Source is one result file.
type Source struct {
	Name string
	Text []byte
}

// decode reads a source; the error says what is wrong with it.
func decode(s Source) (*result.Saved, error) {
	var d result.Saved
	if err := json.Unmarshal(s.Text, &d); err != nil {
		return nil, fmt.Errorf("%s: is not a result: no JSON document", s.Name)
	}
	if d.Command() == "" {
		return nil, fmt.Errorf(
			"%s: is not a result: schema is %.80q; allowed: what a command writes with --format json", s.Name, d.Schema)
	}
	return &d, nil
}

// each reads every result into a T.
func each[T any](results []json.RawMessage, do func(i int, r *T)) error {
	for i, raw := range results {
		r := new(T)
		if err := json.Unmarshal(raw, r); err != nil {
			return err
		}
		do(i, r)
	}
	return nil
}

package page

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Write writes one page with a section for each source, in order.
func Write(w io.Writer, title string, sources []Source) error {
	v, err := viewOf(title, sources)
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

func viewOf(title string, sources []Source) (*view, error) {
	v := &view{Title: title}
	for i, source := range sources {
		d, err := decode(source)
		if err != nil {
			return nil, err
		}
		s, err := sectionOf(fmt.Sprintf("s%d", i+1), source.Name, d)
		if err != nil {
			return nil, fmt.Errorf("%s: is not a result of %s: %w", source.Name, d.Command(), err)
		}
		v.Sections = append(v.Sections, s)
		if !strings.Contains(v.Version, d.Tool.Version) {
			v.Version = strings.TrimPrefix(v.Version+", "+d.Tool.Version, ", ")
		}
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

var headings = map[string]string{
	"count": "What the shapes cost", "plan": "The planned run", "recommend": "What else to train",
	"track": "The run against its plan", "check": "The check", "diff": "What the change changes", "fit": "The fitted laws",
}

func sectionOf(id, file string, d *result.Saved) (section, error) {
	command := d.Command()
	s := section{ID: id, File: file, Heading: headings[command], Warnings: d.Warnings}
	if s.Heading == "" {
		s.Heading = command
	}
	for _, key := range slices.Sorted(maps.Keys(d.Conventions)) {
		s.Conventions = append(s.Conventions, pair{key, fmt.Sprint(d.Conventions[key])})
	}
	fill := map[string]func(*section) error{
		"count":     func(s *section) error { return s.plans(d.Results) },
		"plan":      func(s *section) error { return s.plans(d.Results) },
		"recommend": func(s *section) error { return s.recommendations(d.Results) },
		"track":     func(s *section) error { return s.tracked(d.Results) },
		"check":     func(s *section) error { return s.findings(d.Results) },
		"diff":      func(s *section) error { return s.differences(d.Results) },
		"fit":       func(s *section) error { return s.fits(d.Results) },
	}[command]
	if fill == nil {
		return s, s.anything(d.Results)
	}
	return s, fill(&s)
}

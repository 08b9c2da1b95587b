package shapes

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/deepnarrow/deepnarrow/data"
)

// Entry is one published model of the catalogue.
type Entry struct {
	Name    string
	Aliases []string // other spellings of the same shape, e.g. "flan-t5-base" of "t5-v1_1-base"
	// public names of the weights, the main one first; empty when none were published
	Checkpoints []string
	Shape       Shape // the architecture; that of the unshared parent when NotCountable is set

	// NotCountable says why the shape cannot be expressed, and so neither counted nor planned;
	// empty for all but ten names. See [NotCountableError].
	NotCountable string

	Evidence data.Evidence // how the shape is known
	Source   string        // paper and configuration it comes from
	Note     string
}

// Catalogue returns every published model in a fixed order: T5 and its descendants, the other
// families, then the 170 T5-Efficient models of Tay et al. 2021 (arXiv 2109.10686). The caller owns
// the slice, not the aliases in it.
func Catalogue() []Entry { return slices.Clone(catalogue().entries) }

// Names returns the names of [Catalogue] in its order.
func Names() []string {
	entries := catalogue().entries
	names := make([]string, len(entries))
	for i := range entries {
		names[i] = entries[i].Name
	}
	return names
}

// Find returns the catalogue entry with the given name, alias or checkpoint. Letter case, and the
// choice between blank, "_", "-" and ".", do not matter. The error is an [*UnknownError].
func Find(name string) (Entry, error) {
	c := catalogue()
	if e, ok := c.find(normalise(name)); ok {
		return *e, nil
	}
	return Entry{}, &UnknownError{Ref: name, Suggestion: c.nearest(name)}
}

// Lookup returns the shape of a catalogue name, alias or checkpoint, matched as in [Find]. The
// error is an [*UnknownError] or a [*NotCountableError].
func Lookup(name string) (Shape, error) {
	e, err := Find(name)
	if err != nil {
		return Shape{}, err
	}
	return e.countable()
}

// countable returns the shape, or the reason why it has none.
func (e *Entry) countable() (Shape, error) {
	if e.NotCountable != "" {
		return Shape{}, &NotCountableError{Name: e.Name, Reason: e.NotCountable}
	}
	return e.Shape, nil
}

// index is the catalogue with its keys: every name, alias and checkpoint, normalised.
type index struct {
	entries []Entry
	keys    map[string]int
}

// find looks up a normalised key, with or without the publisher "google".
func (c *index) find(key string) (*Entry, bool) {
	i, ok := c.keys[key]
	if !ok {
		i, ok = c.keys[strings.TrimPrefix(key, "google/")]
	}
	if !ok {
		return nil, false
	}
	return &c.entries[i], true
}

// catalogue is built on first use, so that commands that need no shape start without it. A
// malformed embedded table is a mistake made here: it panics.
var catalogue = sync.OnceValue(func() *index {
	c := &index{keys: map[string]int{}}
	for _, row := range data.ReleasedShapes() {
		c.add(&Entry{
			Name: row.Name, Aliases: row.Aliases, Checkpoints: row.Checkpoints, Shape: released(&row),
			Evidence: row.Evidence, Source: row.Source, Note: row.Note,
		})
	}
	for _, row := range data.Checkpoints() {
		c.add(efficientEntry(&row))
	}
	return c
})

func (c *index) add(e *Entry) {
	i := len(c.entries)
	c.entries = append(c.entries, *e)
	for _, names := range [][]string{{e.Name}, e.Aliases, e.Checkpoints} {
		for _, name := range names {
			key := normalise(name)
			if other, taken := c.keys[key]; taken && other != i {
				panic(fmt.Sprintf("catalogue: %q names both %s and %s", name, c.entries[other].Name, e.Name))
			}
			c.keys[key] = i
		}
	}
}

package asks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// devices is one count, several, or auto.
type devices struct {
	counts []int
	Auto   bool
	text   string
}

// Set adds counts: 8, or 8,64, or auto.
func (f *devices) Set(text string) error {
	for _, item := range quantity.SplitList(text) {
		if item == "auto" {
			f.Auto = true
			continue
		}
		var n int
		if err := quantity.NewCountFlag(&n).Set(item); err != nil {
			return err
		}
		if slices.Contains(f.counts, n) {
			return fmt.Errorf("%d is given twice", n)
		}
		f.counts = append(f.counts, n)
	}
	if f.Auto && len(f.counts) > 0 {
		return fmt.Errorf("both auto and counts; allowed: one of them")
	}
	f.text = strings.TrimPrefix(f.text+","+text, ",")
	return nil
}

func (f *devices) String() string { return f.text }

// Type is the word shown after the flag in the help.
func (f *devices) Type() string { return "counts" }

// Many says that the flag may be repeated.
func (f *devices) Many() bool { return true }

// input is what the flag adds to the inputs of a JSON document: a number, several, auto or nothing.
func (f *devices) input() any {
	switch {
	case f.Auto:
		return "auto"
	case len(f.counts) == 0:
		return nil
	case len(f.counts) == 1:
		return f.counts[0]
	}
	return f.counts
}

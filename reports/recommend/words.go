package recommend

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// mostDepth bounds the layers of a stack that may be asked for.
const mostDepth = 1 << 12

// ParseDepths reads the fewest and the most layers of a stack: 4:48.
func ParseDepths(text string) (fewest, most int, err error) {
	low, high, ok := strings.Cut(text, ":")
	from, wrong := quantity.ParseExact(quantity.Count, low)
	to, wrongToo := quantity.ParseExact(quantity.Count, high)
	if !ok || wrong != nil || wrongToo != nil || from < 1 || to < 1 || to > mostDepth {
		return 0, 0, fmt.Errorf("%q; allowed: fewest:most layers, such as 4:48", text)
	}
	return int(from), int(to), nil
}

// AlignTo has dimensions be multiples of a number, or of the alignment of a profile: "profile", or
// empty for that where it is known. It says whether that is known.
func (c *Constraints) AlignTo(word string, p *hardware.Profile) bool {
	if n, err := strconv.Atoi(word); err == nil {
		c.Align = n
		return true
	}
	if p == nil || p.Align == nil {
		return word == ""
	}
	c.Align = int(p.Align.Value)
	return true
}

// Row finds a row by its number or its shape, or the anchor by its name, "anchor" or 0; nil when there
// is none.
func (r *Result) Row(which string) *Row {
	if a := r.Anchor; a != nil && (which == "anchor" || which == "0" || which == a.Shape.Name) {
		return a
	}
	for i := range r.Rows {
		if row := &r.Rows[i]; which == row.Shape.Name || which == strconv.Itoa(row.Rank) {
			return row
		}
	}
	return nil
}

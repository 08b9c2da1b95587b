package recommend

import (
	"fmt"
	"math"
	"strings"

	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// why says in a sentence what a row does against the reference and what that rests on: "deeper than
// t5-base at a smaller width: −40 % params for −0.4 ± 0.5 points; measured".
func (v *viewer) why(row, reference *Row, anchored bool) string {
	var b strings.Builder
	if anchored {
		b.WriteString(movement(&row.Shape, &reference.Shape))
		b.WriteString(": ")
		b.WriteString(changes(row))
	} else if row.Pick {
		b.WriteString("the pick: ")
	}
	better, apart, ok := v.better(row, reference)
	mine, half := v.judge.Score(row.subject())
	switch {
	case !ok:
		b.WriteString("nothing judges it")
	case anchored || !row.Pick:
		if v.judge.Unit() == evidence.LossUnit { // a score is a loss with the sign turned
			better = -better
		}
		text := difference(better, apart) + " " + v.judge.Unit()
		if anchored {
			b.WriteString(" for " + text)
		} else {
			b.WriteString(text + " against the pick")
		}
		if row.Tie {
			b.WriteString(", a tie within the error")
		}
	default:
		digits := decimals(half)
		fmt.Fprintf(&b, "predicted %.*f ± %.*f %s", digits, math.Abs(mine), digits, half,
			v.judge.Unit())
	}
	b.WriteString("; " + row.Class.String())
	if row.Class != evidence.Measured && row.Nearest != nil {
		fmt.Fprintf(&b, ", nearest measured: %s", row.Nearest.Name)
	}
	return b.String()
}

// difference prints a signed value to the digits its error supports.
func difference(value, half float64) string {
	digits := decimals(half)
	text := fmt.Sprintf("%.*f", digits, math.Abs(value))
	switch {
	case strings.Trim(text, "0.") == "":
	case value < 0:
		text = "−" + text
	default:
		text = "+" + text
	}
	return fmt.Sprintf("%s ± %.*f", text, digits, half)
}

// decimals is how many places an error supports.
func decimals(half float64) int {
	if half < 0.1 {
		return 3
	}
	return 1
}

// movement says how a shape differs from the anchor.
func movement(s, anchor *shapes.Shape) string {
	compare := func(a, b int, more, less string) string {
		switch {
		case a > b:
			return more
		case a < b:
			return less
		}
		return ""
	}
	depth := compare(s.Encoder.Layers+s.Decoder.Layers, anchor.Encoder.Layers+anchor.Decoder.Layers,
		"deeper", "shallower")
	width := compare(s.DModel, anchor.DModel, "wider", "narrower")
	switch {
	case depth == "" && width == "":
		return "as deep and as wide as " + anchor.Name
	case depth == "":
		return width + " than " + anchor.Name + " at the same depth"
	case width == "":
		return depth + " than " + anchor.Name + " at the same width"
	}
	return depth + " and " + width + " than " + anchor.Name
}

// changes lists the parameters saved and, where it is known, the step time.
func changes(row *Row) string {
	part := func(saved *float64, what string) string {
		if saved == nil {
			return ""
		}
		sign := "−"
		if *saved < 0 {
			sign = "+"
		}
		return fmt.Sprintf("%s%.0f %% %s", sign, 100*math.Abs(*saved), what)
	}
	text := part(row.Saved.Params, "params")
	if time := part(row.Saved.StepTime, "step time"); time != "" {
		text += ", " + time
	}
	return text
}

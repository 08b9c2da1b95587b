package records

import (
	"fmt"
	"math"
	"strings"
)

// Where is a list of conditions that a row must meet all of.
type Where []condition

// condition compares a column with an amount or a word.
type condition struct {
	text   string // as given
	column string
	op     string
	value  string
}

// operators in the order in which they are looked for at one place.
var operators = []string{"<=", ">=", "!=", "==", "<", ">", "="}

// ParseWhere reads conditions separated by commas: flops<1e21,loss<4,lang=de. The operators are <
// <= > >= = and !=. The right side is an amount in the grammar of the project (params<1B), or a
// word to compare with = and !=.
func ParseWhere(text string) (Where, error) {
	var w Where
	for _, part := range strings.Split(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		at, op := firstOperator(part)
		c := condition{text: part, op: op}
		if at > 0 {
			c.column, c.value = strings.TrimSpace(part[:at]), strings.TrimSpace(part[at+len(op):])
		}
		if c.column == "" {
			return nil, fmt.Errorf(
				"no condition: %q; allowed: column, one of < <= > >= = !=, value, such as flops<1e21", part)
		}
		if c.op == "==" {
			c.op = "="
		}
		w = append(w, c)
	}
	return w, nil
}

func firstOperator(part string) (at int, op string) {
	at = -1
	for _, o := range operators {
		if i := strings.Index(part, o); i >= 0 && (at < 0 || i < at) {
			at, op = i, o
		}
	}
	return at, op
}

// failure returns for a row why it does not meet the conditions, "" when it does.
func (w Where) failure(t *Table) (func(row int) string, error) {
	tests := make([]func(int) string, len(w))
	for i, c := range w {
		test, err := c.test(t)
		if err != nil {
			return nil, err
		}
		tests[i] = test
	}
	return func(row int) string {
		for _, test := range tests {
			if reason := test(row); reason != "" {
				return reason
			}
		}
		return ""
	}, nil
}

func (c condition) test(t *Table) (func(int) string, error) {
	missing, wrong := c.column+" is absent", "not "+c.text
	if _, err := t.Text(c.column); err != nil {
		if _, err := t.Numbers(c.column); err != nil {
			return nil, err
		}
	}
	want, notAnAmount := ParseAmount(c.column, c.value)
	if notAnAmount == nil {
		n, err := t.Numbers(c.column)
		if err != nil {
			return nil, err
		}
		if c.op != "=" && c.op != "!=" || t.mostlyNumbers(n) {
			return func(row int) string {
				v := n.Values[row]
				if math.IsNaN(v) {
					return missing
				}
				if !compare(v, c.op, want) {
					return wrong
				}
				return ""
			}, nil
		}
	} else if c.op != "=" && c.op != "!=" {
		return nil, fmt.Errorf("condition %s: %w", c.text, notAnAmount)
	}
	cells, err := t.Text(c.column)
	if err != nil {
		return nil, err
	}
	return func(row int) string {
		if (cells[row] == c.value) != (c.op == "=") {
			return wrong
		}
		return ""
	}, nil
}

// mostlyNumbers tells a column of amounts from one of words some of which read as amounts.
func (t *Table) mostlyNumbers(n *Numbers) bool { return 2*n.faults < t.Len() }

func compare(v float64, op string, want float64) bool {
	switch op {
	case "<":
		return v < want
	case "<=":
		return v <= want
	case ">":
		return v > want
	case ">=":
		return v >= want
	case "=":
		return v == want
	default:
		return v != want
	}
}

package quantity

import "strings"

// Header is a column heading taken apart: "step_time [ms]" is the name step_time in the unit ms.
type Header struct {
	Name string
	Unit string // empty when the heading states none
}

// ParseHeader splits a heading that ends in a unit in square or round brackets. Whether the bracket
// really holds a unit depends on what the column measures, so ask [Header.Reader] with the kind; a
// heading of an unknown column is better used whole.
func ParseHeader(text string) Header {
	text = strings.TrimSpace(text)
	for _, pair := range []string{"[]", "()"} {
		open := strings.LastIndexByte(text, pair[0])
		if open > 0 && text[len(text)-1] == pair[1] {
			name := strings.TrimSpace(text[:open])
			unit := strings.TrimSpace(text[open+1 : len(text)-1])
			if name != "" && unit != "" {
				return Header{Name: name, Unit: unit}
			}
		}
	}
	return Header{Name: text}
}

// CellReader parses the cells of one column.
type CellReader struct {
	kind  Kind
	fixed bool // the heading states the unit: cells are bare numbers
	multiplier
}

// Reader returns the parser of the column's cells, or an error of type [*Error] when the heading's
// unit does not measure the kind. Without a unit in the heading a cell is a bare number in the base
// unit or carries its own unit.
func (h Header) Reader(kind Kind) (CellReader, error) {
	if h.Unit == "" {
		return CellReader{kind: kind, multiplier: one}, nil
	}
	m, ok := lookUpUnit(kind, h.Unit)
	if !ok {
		if kind == Money && (h.Unit == "$" || h.Unit == "USD") || kind == HourlyPrice &&
			(h.Unit == "$/h" || h.Unit == "USD/h") {
			return CellReader{kind: kind, fixed: true, multiplier: one}, nil
		}
		problem, hint := explainUnit(kind, h.Unit)
		return CellReader{}, &Error{Kind: kind, Text: h.Unit, Problem: problem, Hint: hint}
	}
	return CellReader{kind: kind, fixed: true, multiplier: m}, nil
}

// Parse returns the cell's amount in the base unit of the column's kind. Errors are of type
// [*Error].
func (r CellReader) Parse(cell string) (float64, error) {
	body := strings.Trim(cell, " \t")
	number, rest, problem := scanNumber(body)
	if problem == "" && rest == "" {
		value, problem := toFloat(number, r.multiplier)
		switch {
		case problem != "":
		case r.kind != Number && value < 0:
			problem = "a negative amount"
		case r.kind == Fraction && value > 1:
			problem = "more than 1 (100%)"
		}
		if problem != "" {
			return 0, &Error{Kind: r.kind, Text: cell, Problem: problem}
		}
		return value, nil
	}
	if r.fixed {
		if problem == "" {
			problem = "a unit in the cell although the heading states one"
		}
		if body == "" {
			problem = "nothing given"
		}
		return 0, &Error{Kind: r.kind, Text: cell, Problem: problem}
	}
	return Parse(r.kind, cell)
}

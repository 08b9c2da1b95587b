package hardware

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Quoted is one line of a user's price list.
type Quoted struct {
	Accelerator string // the name of the profile that it means
	Region      string // empty: any
	Terms       string // "on-demand", "reserved", "spot"
	USDPerHour  float64
	Date        string // as 2026-11-28; empty where the list has none
}

// terms are the ways to rent, the first the default.
var terms = []string{"on-demand", "reserved", "spot"}

// priceColumns are the columns of a price list, with the other names that they go by.
var priceColumns = [][]string{
	{"accelerator", "hardware", "gpu", "device"},
	{"region"},
	{"kind", "terms"},
	{"usd_per_device_hour", "usd_per_hour", "price", "usd"},
	{"date"},
}

// maxPrices bounds a price list.
const maxPrices = 100_000

// ReadPrices reads a price list: CSV with the columns accelerator, region, kind (on-demand,
// reserved or spot), usd_per_device_hour and date, of which the first and the price are needed.
// Cells may be separated by semicolons; prices then may have decimal commas. name is that of the
// file, for messages; all faults are told at once, as file:line.
func ReadPrices(name string, r io.Reader) ([]Quoted, error) {
	text := bufio.NewReader(r)
	start, _ := text.Peek(text.Size())
	heading, _, _ := strings.Cut(string(start), "\n")
	rows := csv.NewReader(text)
	rows.FieldsPerRecord, rows.TrimLeadingSpace = -1, true
	european := strings.Contains(heading, ";") && !strings.Contains(heading, ",")
	if european {
		rows.Comma = ';'
	}
	head, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: is empty; needed: a line of column names", name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: not a price list: %w", name, err)
	}
	column, err := findPriceColumns(head)
	if err != nil {
		return nil, fmt.Errorf("%s:1: %w", name, err)
	}
	var out []Quoted
	var faults []error
	for len(out) <= maxPrices {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line := 0
		var quotes *csv.ParseError
		switch {
		case errors.As(err, &quotes):
			line, err = quotes.Line, quotes.Err
		case err != nil:
			return nil, fmt.Errorf("%s: %w", name, err)
		default:
			line, _ = rows.FieldPos(0)
			if at := column[3]; european && at < len(row) {
				row[at] = strings.Replace(row[at], ",", ".", 1)
			}
			var q Quoted
			if q, err = readPrice(row, column); err == nil {
				out = append(out, q)
				continue
			}
		}
		faults = append(faults, fmt.Errorf("%s:%d: %w", name, line, err))
		const mostFaults = 20
		if len(faults) == mostFaults {
			break
		}
	}
	switch {
	case len(faults) > 0:
		return nil, errors.Join(faults...)
	case len(out) == 0:
		return nil, fmt.Errorf("%s: no prices; needed: a line for each accelerator", name)
	case len(out) > maxPrices:
		return nil, fmt.Errorf("%s: too many prices; allowed: %d", name, maxPrices)
	}
	return out, nil
}

// findPriceColumns returns where each of priceColumns stands, −1 for those that do not.
func findPriceColumns(head []string) ([]int, error) {
	out := make([]int, len(priceColumns))
	for c, names := range priceColumns {
		out[c] = slices.IndexFunc(head, func(title string) bool {
			title = strings.TrimPrefix(title, "\ufeff")
			return slices.Contains(names, strings.ReplaceAll(strings.ToLower(strings.TrimSpace(title)), " ", "_"))
		})
		if needed := c == 0 || c == 3; needed && out[c] < 0 {
			return nil, fmt.Errorf("no column %s; allowed: accelerator, region, kind, usd_per_device_hour, date", names[0])
		}
	}
	return out, nil
}

func readPrice(row []string, column []int) (Quoted, error) {
	cell := func(c int) string {
		if at := column[c]; at >= 0 && at < len(row) {
			return strings.TrimSpace(row[at])
		}
		return ""
	}
	p, err := Find(cell(0))
	if err != nil {
		return Quoted{}, err
	}
	q := Quoted{Accelerator: p.Name, Region: cell(1), Terms: terms[0], Date: cell(4)}
	if kind := strings.ReplaceAll(strings.ToLower(cell(2)), " ", "-"); kind != "" {
		q.Terms = kind
	}
	if !slices.Contains(terms, q.Terms) {
		return q, fmt.Errorf("unknown kind: %q; allowed: %s", q.Terms, strings.Join(terms, ", "))
	}
	if q.Date != "" {
		if _, err := time.Parse(time.DateOnly, q.Date); err != nil {
			return q, fmt.Errorf("not a date: %q; allowed: such as 2026-11-28", q.Date)
		}
	}
	q.USDPerHour, err = quantity.Parse(quantity.HourlyPrice, cell(3))
	if err == nil && (q.USDPerHour < 0 || math.IsInf(q.USDPerHour, 0)) {
		err = fmt.Errorf("price out of range: %s; allowed: 0 or more", cell(3))
	}
	return q, err
}

// At returns a profile at a quoted price.
func (q *Quoted) At(p Profile, source string) Profile {
	note := q.Terms
	for _, part := range []string{q.Region, q.Date} {
		if part != "" {
			note += ", " + part
		}
	}
	p = p.Clone()
	p.PriceUSDPerHour = &Field{
		Fact: data.Fact{Value: q.USDPerHour, Source: source, Note: note}, Origin: File,
	}
	return p
}

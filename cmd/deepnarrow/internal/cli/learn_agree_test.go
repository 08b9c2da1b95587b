package cli

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// printedTable is a table of a result in markdown.
type printedTable struct {
	title string
	head  []string
	rows  [][]string
}

// printedPage is a result as people read it.
type printedPage struct {
	tables []printedTable
	notes  string
}

func pageOf(t *testing.T, stdin string, args ...string) printedPage {
	t.Helper()
	code, stdout, stderr := run(t, stdin, append(args, "--format", "markdown", "--wide", "--details")...)
	if code != frame.ExitOK {
		t.Fatalf("%v: exit %d: %s", args, code, stderr)
	}
	var p printedPage
	title := ""
	for line := range strings.Lines(stdout) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "### "):
			title = strings.TrimPrefix(line, "### ")
		case strings.HasPrefix(line, "|:"), strings.HasPrefix(line, "|-"):
		case strings.HasPrefix(line, "| "):
			var cells []string
			for _, c := range strings.Split(strings.Trim(line, "|"), " |") {
				cells = append(cells, strings.TrimSpace(c))
			}
			if n := len(p.tables); n > 0 && p.tables[n-1].title == title && title != "\x00" {
				p.tables[n-1].rows = append(p.tables[n-1].rows, cells)
				continue
			}
			p.tables = append(p.tables, printedTable{title: title, head: cells})
		case line != "": // of the headline, or a note
			p.notes += line + "\n"
		}
	}
	return p
}

// table returns the table whose title begins so.
func (p *printedPage) table(t *testing.T, title string) *printedTable {
	t.Helper()
	for i := range p.tables {
		if strings.HasPrefix(p.tables[i].title, title) {
			return &p.tables[i]
		}
	}
	t.Fatalf("no table %q", title)
	return nil
}

// cell returns a cell with its heading, whose name begins so.
func (p *printedTable) cell(t *testing.T, row int, column string) (text, heading string) {
	t.Helper()
	for c, h := range p.head {
		if quantity.ParseHeader(h).Name == column || strings.HasPrefix(h, column) {
			return p.rows[row][c], h
		}
	}
	t.Fatalf("%s: no column %q in %q", p.title, column, p.head)
	return "", ""
}

var numbers = regexp.MustCompile(`-?[0-9][0-9,]*\.?[0-9]*(?:e[+-]?[0-9]+)?`)

// place is what one unit of the last digit that a number shows is worth: trailing zeros of a whole
// number may be rounded ones.
func place(text string) float64 {
	mantissa, exponent, _ := strings.Cut(text, "e")
	e, _ := strconv.Atoi(exponent)
	if _, decimals, ok := strings.Cut(mantissa, "."); ok {
		return math.Pow10(e - len(decimals))
	}
	whole := strings.TrimLeft(mantissa, "-")
	return math.Pow10(e + len(whole) - len(strings.TrimRight(whole, "0")))
}

// says fails unless a printed cell is the number of the JSON, or its value, low and high, to the
// digits that are printed.
func says(t *testing.T, where, text, heading string, kind quantity.Kind, want any) {
	t.Helper()
	reader, err := quantity.ParseHeader(heading).Reader(kind)
	if err != nil {
		reader, _ = quantity.Header{}.Reader(quantity.Number) // the bracket is not a unit
	}
	unit, err := reader.Parse("1")
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	var got, digit []float64
	for _, n := range numbers.FindAllString(text, -1) {
		n = strings.ReplaceAll(n, ",", "")
		v, err := strconv.ParseFloat(n, 64)
		if err != nil {
			t.Fatalf("%s: %q: %v", where, text, err)
		}
		got, digit = append(got, v*unit), append(digit, place(n)*unit)
	}
	wanted := []any{at(want, "value"), at(want, "low"), at(want, "high")}
	if _, single := want.(float64); single {
		wanted = []any{want}
	}
	if len(got) == 2 && strings.Contains(text,
		"±") { // of the wider side where they are nearly equal
		both := 2 * (digit[0] + digit[1])
		got, digit = []float64{got[0], got[0] - got[1], got[0] + got[1]},
			[]float64{digit[0], both, both}
	}
	if len(got) == 0 || len(got) > len(wanted) {
		t.Errorf("%s: %q says %v; the JSON %v", where, text, got, want)
		return
	}
	const half = 0.501 // of the last digit, with room for the rounding of a product
	for i := range got {
		w, ok := wanted[i].(float64)
		if !ok || !approx.Close(got[i], w, half*digit[i]) {
			t.Errorf("%s: %q under %q says %v; the JSON %v", where, text, heading, got[i],
				wanted[i])
		}
	}
}

// mentions fails unless the notes hold the pattern with the numbers of the JSON in its groups; a
// share is printed as a percentage.
func (p *printedPage) mentions(t *testing.T, pattern string, want ...any) {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(p.notes)
	if m == nil {
		t.Errorf("no note %q in\n%s", pattern, p.notes)
		return
	}
	for i, w := range want {
		says(t, pattern, m[i+1], "", quantity.Number, w)
	}
}

func percentOf(v any) any { return 100 * v.(float64) }

func list(t *testing.T, v any, path ...string) []any {
	t.Helper()
	all, ok := at(v, path...).([]any)
	if !ok || len(all) == 0 {
		t.Fatalf("no list at %v", path)
	}
	return all
}

const sweepData, curvesData, downstreamData = "../../../../docs/data/sweep.csv",
	"../../../../docs/data/curves.csv", "../../../../docs/data/downstream.csv"

// Table and JSON of each command of the fit family say the same numbers: what stands under a
// heading, and in a note, is what the field of that meaning holds.
func TestFitTablesAgreeWithJSON(t *testing.T) {
	args := []string{
		"fit", sweepData, "--law", "kaplan", "--profile", "--level", "0.9", "--fit-where",
		"loss>2.4",
		"--score-where", "loss<2.4", "--predict", "params=1e9,tokens=2e10", "--drop-highest", "1",
	}
	r, p := answerOf(t, "", args...).Results[0], pageOf(t, "", args...)
	table := p.table(t, "")
	if len(table.rows) != 4 {
		t.Fatalf("%d parameters", len(table.rows))
	}
	for i, row := range table.rows {
		text, heading := table.cell(t, i, "value, 90 %")
		says(t, row[0], text, heading, quantity.Number, at(r, "parameters", row[0]))
		text, _ = table.cell(t, i, "profile interval")
		low, high, _ := strings.Cut(text, " to ")
		says(t, row[0], low, "", quantity.Number, at(r, "parameters", row[0], "profile", "low"))
		says(t, row[0], high, "", quantity.Number, at(r, "parameters", row[0], "profile", "high"))
	}
	text, heading := p.table(t, "Predictions").cell(t, 0, "loss, 90 %")
	says(t, "prediction", text, heading, quantity.Number, list(t, r, "predictions")[0])
	p.mentions(t, `summed over (\d+) rows: (\S+); root mean square residual (\S+)\.\n`,
		at(r, "rows", "used"), at(r, "objective", "value"), at(r, "rms"))
	p.mentions(t, `All (\d+) starts found the same optimum`, at(r, "certificate", "agree"))
	p.mentions(t, `Scaled gradient (\S+), condition (\S+)\.\n`, at(r, "certificate", "gradient"),
		at(r, "certificate", "condition"))
	p.mentions(t, `Bootstrap: (\d+) refits over (\d+) runs, (\d+) failed`,
		at(r, "bootstrap", "refits"), at(r, "bootstrap", "units"), at(r, "bootstrap", "failed"))
	score := func(name string) any { return at(r, "score", name) }
	p.mentions(t, `Score on (\d+) rows? not fitted: RMSLE (\S+); the 80 % interval covers (\d+) % of them, the 95 % interval (\d+) %`,
		score("points"), score("rmsle"), percentOf(score("coverage80")),
		percentOf(score("coverage95")))
	p.mentions(t, `Rows: (\d+) used, (\d+) dropped`, at(r, "rows", "used"),
		at(r, "rows", "dropped"))
	if score("coverage80") == score("coverage95") {
		t.Error("equal coverages cannot show a swap: score other rows")
	}
}

func TestChosenLawsAgreeWithJSON(t *testing.T) {
	args := []string{"fit", sweepData, "--bootstrap", "0"}
	r, p := answerOf(t, "", args...).Results[0], pageOf(t, "", args...)
	table := p.table(t, "Laws considered")
	for i, l := range list(t, r, "laws") {
		text, heading := table.cell(t, i, "held-out error")
		if held := at(l, "held_out_rms"); held != nil {
			says(t, fmt.Sprint(at(l, "law")), text, heading, quantity.Number, held)
		} else if refused, _ := table.cell(t, i, "refused"); refused == "–" {
			t.Errorf("%v: no error and no reason", at(l, "law"))
		}
		if name := strings.TrimSuffix(table.rows[i][0], ` \*`); name != at(l, "law") { // * marks the best
			t.Errorf("row %d is %s; the JSON has %v", i, table.rows[i][0], at(l, "law"))
		}
	}
	args = []string{"fit", curvesData, "--x", "tokens", "--where", "run=20M"}
	r, p = answerOf(t, "", args...).Results[0], pageOf(t, "", args...)
	table = p.table(t, "auto: an average of laws of loss in tokens")
	for i, l := range list(t, r, "laws") {
		text, heading := table.cell(t, i, "weight")
		says(t, "weight", text, heading, quantity.Fraction, at(l, "weight"))
		text, heading = table.cell(t, i, "held-out error in ln")
		says(t, "held-out error", text, heading, quantity.Number, at(l, "held_out_rms"))
	}
}

func TestGroupTablesAgreeWithJSON(t *testing.T) {
	apart := false // coverages that are equal everywhere cannot show a swap
	for _, args := range [][]string{
		{
			"fit", curvesData, "--x", "tokens", "--by", "run", "--fit-where", "part=fit",
			"--score-where", "part!=fit",
		},
		{
			"fit", curvesData, "--law", "power", "--x", "tokens", "--by", "run", "--bootstrap",
			"30", "--fit-where", "part=fit", "--score-where", "part!=fit",
		},
	} {
		d, p := answerOf(t, "", args...), pageOf(t, "", args...)
		table := p.table(t, "")
		for i, r := range d.Results {
			if got := table.rows[i][0]; got != at(r, "group", "run") {
				t.Fatalf("row %d is of group %s; the JSON has %v", i, got, at(r, "group", "run"))
			}
			columns := map[string]any{"rows": at(r, "rows", "used"), "residual": at(r, "rms")}
			if s := at(r, "score"); s != nil {
				columns["scored"], columns["RMSLE"] = at(s, "points"), at(s, "rmsle")
				columns["in 80 %"], columns["in 95 %"] = at(s, "coverage80"), at(s, "coverage95")
				apart = apart || at(s, "coverage80") != at(s, "coverage95")
			}
			if parameters, ok := r["parameters"].(map[string]any); ok {
				for name, v := range parameters {
					columns[name] = v
				}
			}
			for name, want := range columns {
				kind := quantity.Number
				if strings.HasPrefix(name, "in ") {
					kind = quantity.Fraction
				}
				text, heading := table.cell(t, i, name)
				says(t, name, text, heading, kind, want)
			}
		}
	}
	if !apart {
		t.Error("no two coverages differ: score other rows")
	}
}

func TestScansAgreeWithJSON(t *testing.T) {
	r, p := answerOf(t, "", "isoflop", sweepData).Results[0], pageOf(t, "", "isoflop", sweepData)
	table := p.table(t, "")
	exponents := regexp.MustCompile(
		`params ∝ C\\?\^\((.*?)\), tokens ∝ C\\?\^\((.*)\)`).FindStringSubmatch(p.notes)
	says(t, "a", exponents[1], "", quantity.Number, r["a"])
	says(t, "b", exponents[2], "", quantity.Number, r["b"])
	for i, b := range list(t, r, "budgets") {
		for _, c := range []struct {
			column, field string
			kind          quantity.Kind
		}{
			{"budget", "flops", quantity.FLOP},
			{"runs", "rows", quantity.Number},
			{"best params", "params", quantity.Params},
			{"best tokens", "tokens", quantity.Tokens},
			{"loss", "loss", quantity.Number},
			{"place in the scan", "position", quantity.Fraction},
		} {
			text, heading := table.cell(t, i, c.column)
			says(t, c.column, text, heading, c.kind, at(b, c.field))
		}
	}
	r, p = answerOf(t, "", "envelope", curvesData).Results[0], pageOf(t, "", "envelope", curvesData)
	table = p.table(t, "")
	exponents = regexp.MustCompile(`params ∝ C\\?\^\((.*?)\)`).FindStringSubmatch(p.notes)
	says(t, "a", exponents[1], "", quantity.Number, r["a"])
	for i, l := range list(t, r, "leaders") {
		text, heading := table.cell(t, i, "params")
		says(t, "params", text, heading, quantity.Params, at(l, "params"))
		text, heading = table.cell(t, i, "leads from")
		says(t, "from", text, heading, quantity.FLOP, at(l, "from_flops"))
		text, heading = table.cell(t, i, "to")
		says(t, "to", text, heading, quantity.FLOP, at(l, "to_flops"))
	}
	p.mentions(t, `(\d+) of (\d+) points are on the Pareto front`,
		float64(len(list(t, r, "front"))),
		at(r, "rows", "used"))
}

func TestAllocationsAgreeWithJSON(t *testing.T) {
	args := []string{"allocate", sweepData, "--budget", "1e21", "--budget", "3e22"}
	d, p := answerOf(t, "", args...), pageOf(t, "", args...)
	table := p.table(t, "")
	for i, r := range d.Results {
		near := list(t, r, "nearest_shapes")[0]
		if name, _ := table.cell(t, i, "nearest shape"); name != at(near, "shape") {
			t.Errorf("nearest shape %s; the JSON has %v", name, at(near, "shape"))
		}
		for _, c := range []struct {
			column string
			kind   quantity.Kind
			want   any
		}{
			{"budget", quantity.FLOP, r["flops"]},
			{"params", quantity.Params, r["params"]},
			{"tokens", quantity.Tokens, r["tokens"]},
			{"tokens/param", quantity.Number, number(t, r, "tokens", "value") / number(t, r,
				"params", "value")},
			{"loss", quantity.Number, r["loss"]},
			{"its loss", quantity.Number, at(near, "loss")},
		} {
			text, heading := table.cell(t, i, c.column)
			says(t, c.column, text, heading, c.kind, c.want)
		}
	}
}

func TestTransfersAgreeWithJSON(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("model,params,tokens,loss,score\n")
	for i := range 24 { // a law and a link made here, with wiggles that swap neighbours
		n, d := 1e7*math.Pow(3, float64(i%4)), 1e9*math.Pow(2, float64(i/4))
		loss := 1.8 + 480/math.Pow(n, 0.35) + 2100/math.Pow(d, 0.37)
		fmt.Fprintf(&rows, "m%d,%g,%g,%.6f,%.4f\n", i, n, d, loss+0.02*math.Sin(float64(5*i)),
			20+60/(1+math.Exp(2*(loss-2.6)))+math.Sin(float64(7*i)))
	}
	args := []string{"transfer", "-", "--law", "chinchilla", "--predict", "params=1e9,tokens=2e10"}
	r, p := answerOf(t, rows.String(), args...).Results[0], pageOf(t, rows.String(), args...)
	table := p.table(t, "")
	for i, field := range []string{
		"pearson", "spearman", "kendall",
		"partial_spearman_given_size",
	} {
		text, heading := table.cell(t, i, "value, 95 %")
		says(t, field, text, heading, quantity.Number, r[field])
	}
	table = p.table(t, "Inversions: ")
	counts := numbers.FindAllString(table.title, -1)
	says(t, "inversions", counts[0], "", quantity.Number, float64(len(list(t, r, "inversions"))))
	says(t, "pairs", counts[1], "", quantity.Number, r["pairs"])
	for i, v := range list(t, r, "inversions") {
		if i == len(table.rows) {
			break
		}
		if table.rows[i][0] != at(v, "better_upstream") ||
			table.rows[i][1] != at(v, "better_downstream") {
			t.Errorf("inversion %d: %v; the JSON has %v", i, table.rows[i], v)
		}
		says(t, "upstream gap", table.rows[i][2], "", quantity.Number, at(v, "upstream_gap"))
		says(t, "downstream gap", table.rows[i][3], "", quantity.Number, at(v, "downstream_gap"))
	}
	p.mentions(t, `Link \S+, .*: root mean square error (\S+)\.\n`, at(r, "link", "rmse"))
	p.mentions(t, `Two steps, .*: root mean square error (\S+) over (\d+) rows \(links? alone (\S+)\)`,
		at(r, "chain", "rmse"), at(r, "chain", "scored"), at(r, "chain", "link_rmse"))
	p.mentions(t, `At params=1.00B, tokens=20.0B: score (.*)\.\n`, list(t, r, "predictions")[0])
}

// A size that decides the order of losses leaves no correlation given size: it is absent, and the
// document stays JSON.
func TestTransferWhereSizeDecides(t *testing.T) {
	const rows = "params,loss,score\n1e6,4,10\n2e6,3.5,12\n4e6,3,11\n8e6,2.5,20\n1.6e7,2,22\n3.2e7,1.9,21\n"
	r := answerOf(t, rows, "transfer", "-", "--link", "none").Results[0]
	if r["partial_spearman_given_size"] != nil {
		t.Errorf("given size: %v", r["partial_spearman_given_size"])
	}
}

// Flags are checked before any file is read or written.
func TestFlagsAreCheckedFirst(t *testing.T) {
	plot := filepath.Join(t.TempDir(), "x.svg")
	for _, args := range [][]string{
		{"fit", "nowhere.csv", "--fit-where", "loss"},
		{"fit", "nowhere.csv", "--score-where", "loss"},
		{"fit", "nowhere.csv", "--where", "loss"},
		{"fit", "nowhere.csv", "--map", "params"},
		{"fit", "nowhere.csv", "--objective", "hubber"},
		{"fit", "nowhere.csv", "--predict", "params"},
		{"isoflop", "nowhere.csv", "--where", "loss"},
		{"envelope", "nowhere.csv", "--level", "1"},
		{"allocate", "nowhere.csv", "--budget", "1e21", "--objective", "hubber"},
		{"allocate", "nowhere.csv", "--budget", "1e21", "--law", "power"},
		{"allocate", "nowhere.csv", "--budget", "1e21", "--map", "params"},
		{"transfer", "nowhere.csv", "--where", "loss"},
		{"recommend", "--like", "t5-base", "--laws", "bogus", "--plot", plot},
	} {
		if code, _, stderr := run(t, "", args...); code != frame.ExitUsage {
			t.Errorf("%v: exit %d, want %d: %s", args, code, frame.ExitUsage, stderr)
		}
	}
	if _, err := os.Stat(plot); err == nil {
		t.Error("the plot was written before the flags were checked")
	}
}

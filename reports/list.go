package reports

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/plain"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/result"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Shapes fills in the list of catalogue entries.
func (r *Report) Shapes(entries []shapes.Entry) {
	t := Table{
		Columns: []Column{
			{Title: "name", Cuts: true},
			{Title: "params", Kind: quantity.Params},
			{Title: "el/dl"},
			{Title: "d_model"},
			{Title: "d_ff", Optional: 4},
			{Title: "heads×d_kv", Optional: 3},
			{Title: "also", Optional: 1, Cuts: true},
			{Title: "evidence", Optional: 2},
		},
		Basis: []string{
			"Evidence says how the shape is known; --format json has source and note of each.",
			"t5-tiny to t5-xxl are the paper's v1.0-style shapes: t5-xl is the public t5-3b, t5-xxl the public t5-11b.",
		},
	}
	uncounted, counted := false, ""
	for i := range entries {
		e := &entries[i]
		s := &e.Shape
		params := Cell{}
		var total *int64
		if e.NotCountable == "" {
			n := flops.CountParameters(s).Total
			total, params = &n, Amount(float64(n))
			counted = cmp.Or(counted, e.Name)
		} else {
			params, uncounted = Text("").Marked("*"), true
		}
		t.add(Text(e.Name), params, Plain(depths(s)), Plain(fmt.Sprint(s.DModel)),
			Plain(perStack(s, stackWidth)), Plain(perStack(s, stackHeads)),
			Text(strings.Join(e.Aliases, ", ")), Text(string(e.Evidence)))
		r.Document.Add(result.ListedShapeOf(e, total))
	}
	if uncounted {
		t.Notes = append(t.Notes,
			"* shares heads or ties keys to values; listed, but neither counted nor planned.")
	}
	r.listed(len(entries), "shape", "count", counted, t)
}

// listed adds a list, with how many it has and a command that takes the one named first; none is there
// where that is empty.
func (r *Report) listed(n int, noun, command, first string, t Table) {
	r.Headline = []string{quantity.Of(n, noun) + "."}
	if first != "" {
		r.Headline[0] += " Next: deepnarrow " + command + " " + plain.Quoted(first)
	}
	r.Tables = append(r.Tables, t)
}

// first is what a list names first.
func first(t Table) string {
	if len(t.Rows) == 0 {
		return ""
	}
	return t.Rows[0][0].text
}

// Hardware fills in the list of accelerator profiles.
func (r *Report) Hardware(profiles []hardware.Profile) {
	t := Table{
		Columns: []Column{
			{Title: "name"},
			{Title: "device", Cuts: true, Optional: 4},
			{Title: "also", Cuts: true, Optional: 1},
			{Title: "peak", Kind: quantity.FLOPRate},
			{Title: "memory", Kind: quantity.Bytes},
			{Title: "bandwidth", Kind: quantity.ByteRate},
			{Title: "link", Kind: quantity.ByteRate, Optional: 2},
			{Title: "power", Kind: quantity.Power, Optional: 3},
			{Title: "price", Kind: quantity.HourlyPrice},
		},
		Notes: []string{
			"Peak: dense bf16, else fp16. Link: one way. –: no source we trust. Prices are examples; --price takes yours.",
		},
		Basis: []string{"--format json has the source of each figure, and region and date of each price."},
	}
	for i := range profiles {
		p := &profiles[i]
		peak := Cell{}
		for _, precision := range []hardware.Precision{hardware.BF16, hardware.FP16} {
			if f, ok := p.Peaks[precision]; ok {
				peak = Amount(f.Value)
				break
			}
		}
		t.add(Text(p.Aliases[0]), Text(p.Name), Text(strings.Join(p.Aliases[1:], ", ")), peak,
			fieldCell(p.MemoryBytes), fieldCell(p.BandwidthBytesPerSecond),
			fieldCell(p.IntraBytesPerSecond), fieldCell(p.PowerWatts), fieldCell(p.PriceUSDPerHour))
		r.Document.Add(result.ProfileOf(p))
	}
	r.listed(len(profiles), "accelerator", "plan t5-base --devices 8 --hardware", first(t), t)
}

func fieldCell(f *hardware.Field) Cell {
	if f == nil {
		return Cell{}
	}
	return Amount(f.Value)
}

// Conventions fills in the list of FLOPs conventions.
func (r *Report) Conventions() {
	t := Table{Columns: []Column{{Title: "convention"}, {Title: "what it counts", Wraps: true}}}
	for _, c := range flops.Conventions() {
		t.add(Text(string(c)), Text(c.Meaning()))
		r.Document.Add(result.Convention{Convention: c, Meaning: c.Meaning()})
	}
	r.listed(len(t.Rows), "convention", "count t5-base --convention", "all", t)
}

// Regions fills in the list of places whose electricity is known.
func (r *Report) Regions(regions []hardware.Region) {
	t := Table{
		Columns: []Column{
			{Title: "region"},
			{Title: "name", Cuts: true},
			{Title: "kind", Optional: 1},
			{Title: "provider", Optional: 2},
			{Title: "grid", Kind: quantity.CarbonIntensity},
		},
		Notes: []string{"Yearly means of the grid, without offsets; --format json has year and source."},
	}
	for i := range regions {
		p := &regions[i]
		t.add(Text(p.Key), Text(p.Name), Text(p.Kind), Text(p.Provider), Amount(p.Grid.Intensity))
		r.Document.Add(result.RegionOf(p))
	}
	r.listed(len(regions), "region", "plan t5-base --hardware a100 --region", first(t), t)
}

// Laws fills in the list of laws that can be fitted.
func (r *Report) Laws(laws []fit.Law) {
	t := Table{
		Columns: []Column{
			{Title: "law"},
			{Title: "predicts", Optional: 2},
			{Title: "from", Wraps: true},
			{Title: "formula", Wraps: true},
			{Title: "source", Wraps: true, Optional: 1},
		},
		Notes: []string{"--x names other columns to predict from, in the same order. --law auto compares laws by their error on held-out rows."},
	}
	fitted := ""
	for i := range laws {
		l := &laws[i]
		if fitted == "" && learn.CanAllocate(*l) { // others need --x or --y
			fitted = l.Name
		}
		t.add(Text(l.Name), Text(l.Response), Text(strings.Join(l.Columns, ", ")), Text(l.Formula),
			Text(l.Source))
		r.Document.Add(result.ListedLawOf(l))
	}
	r.listed(len(laws), "law", "fit runs.csv --law", fitted, t)
}

// Term fills in the report of one explained term.
func (r *Report) Term(t data.Term) {
	r.Document.Add(result.TermOf(&t))
	r.Headline = []string{t.Name}
	table := Table{Notes: []string{t.Meaning}}
	for _, line := range []struct{ label, text string }{
		{"Formula: ", t.Formula}, {"Also: ", strings.Join(t.Aliases, ", ")}, {"Source: ", t.Source},
	} {
		if line.text != "" {
			table.Notes = append(table.Notes, line.label+line.text)
		}
	}
	r.Tables = append(r.Tables, table)
}

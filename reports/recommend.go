package reports

import (
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
)

type recommendFields struct {
	Rank     int          `json:"rank"`  // 0 is the anchor
	Among    string       `json:"among"` // anchor, catalogue, lattice or listed
	Shape    shapeFields  `json:"shape"`
	Pick     bool         `json:"pick"`
	Tie      bool         `json:"tie"`
	Params   paramsFields `json:"params"`
	FLOPs    flopsFields  `json:"flops"`
	RunFLOPs float64      `json:"run_flops"`
	Memory   memoryFields `json:"memory"`
	RunFields
	Time      timeFields        `json:"time"`
	Decode    *interval         `json:"decode_seconds,omitempty"`
	Cost      costFields        `json:"cost"`
	Saved     savedFields       `json:"saved"`
	Quality   qualityFields     `json:"quality"`
	Evidence  string            `json:"evidence"`
	Readings  string            `json:"readings,omitempty"` // weakest evidence class of the readings behind the quality
	Nearest   *nearestFields    `json:"nearest,omitempty"`
	Published []publishedFields `json:"published,omitempty"`
	Why       string            `json:"why"`
	Missing   map[string]string `json:"missing,omitempty"`
}

type savedFields struct {
	Params   *float64 `json:"params,omitempty"`
	FLOPs    *float64 `json:"flops,omitempty"`
	StepTime *float64 `json:"step_time,omitempty"`
	Memory   *float64 `json:"memory,omitempty"`
	Cost     *float64 `json:"cost,omitempty"`
}

type qualityFields struct {
	Upstream   *interval `json:"upstream,omitempty"`
	Downstream *interval `json:"downstream,omitempty"`
}

type nearestFields struct {
	Shape    string  `json:"shape"`
	Distance float64 `json:"distance"`
}

type publishedFields struct {
	Model    string `json:"model"`
	Source   string `json:"source"`
	Evidence string `json:"evidence"`
}

// Recommended is the answer among one kind of candidates.
type Recommended struct {
	Among  string // "catalogue", "lattice" or "listed"
	Result recommend.Result
}

var amongTitles = map[string]string{
	"catalogue": "released shapes", "lattice": "any aligned shape", "listed": "the listed shapes",
}

// AmongTitle says in words what kind of candidates [Recommended.Among] names.
func AmongTitle(among string) string { return amongTitles[among] }

// Recommend fills in the report of a recommendation: for each kind of candidates the anchor, then
// the rows in order; why each row is there and what the quality rests on follow once.
func (r *Report) Recommend(answers []Recommended) {
	why := Table{Title: "Why each is there", Columns: []Column{
		{Title: "#"},
		{Title: "shape"},
		{Title: "reason", Wraps: true},
	}}
	for i := range answers {
		among, result := answers[i].Among, &answers[i].Result
		r.Document.Warnings = append(r.Document.Warnings, result.Warnings...)
		t := recommendTable(among, result)
		if result.Anchor != nil {
			t.Rows = append(t.Rows, recommendRow(result.Anchor))
			if i == 0 {
				r.Document.Results = append(r.Document.Results,
					recommendOf(result.Anchor, "anchor"))
			}
		}
		for n := range result.Rows {
			row := &result.Rows[n]
			r.Document.Results = append(r.Document.Results, recommendOf(row, among))
			t.Rows = append(t.Rows, recommendRow(row))
			why.Rows = append(why.Rows, []Cell{
				Plain(fmt.Sprint(row.Rank)), Text(row.Shape.Name),
				Text(row.Why),
			})
		}
		r.Tables = append(r.Tables, t)
	}
	why.Notes = evidenceNotes(&answers[len(answers)-1].Result)
	r.Tables = append(r.Tables, why)
}

func recommendOf(row *recommend.Row, among string) recommendFields {
	f := recommendFields{
		Rank: row.Rank, Among: among, Shape: shapeOf(&row.Shape), Pick: row.Pick, Tie: row.Tie,
		Params: paramsOf(&row.Params), FLOPs: flopsOf(row.FLOPs),
		RunFLOPs: row.RunFLOPs.Interval.Value, Memory: memoryOf(&row.Memory, row.Fits),
		RunFields: *RunOf(&row.Run), Time: timeOf(&row.Answer),
		Decode: row.Decode.Latency().Interval, Cost: costOf(&row.Schedule.Bill),
		Saved: savedFields{
			row.Saved.Params, row.Saved.FLOPs, row.Saved.StepTime,
			row.Saved.Memory, row.Saved.Cost,
		},
		Quality:  qualityFields{row.Quality.Upstream.Interval, row.Quality.Downstream.Interval},
		Evidence: row.Class.String(), Readings: string(row.Evidence), Why: row.Why,
		Missing: row.Missing(),
	}
	f.Time.Parts = nil // plan has them
	if row.Nearest != nil {
		f.Nearest = &nearestFields{row.Nearest.Name, row.Nearest.Distance}
	}
	for _, p := range row.Published {
		f.Published = append(f.Published, publishedFields{p.Model, p.Source, string(p.Evidence)})
	}
	for name, reason := range map[string]string{
		"decode_seconds":     row.Decode.Latency().Missing,
		"quality.upstream":   row.Quality.Upstream.Missing,
		"quality.downstream": row.Quality.Downstream.Missing,
	} {
		if reason != "" {
			f.Missing[name] = reason
		}
	}
	return f
}

func recommendTable(among string, result *recommend.Result) Table {
	t := Table{
		Title: "Best of " + amongTitles[among],
		Columns: []Column{
			{Title: "#"},
			{Title: "shape"},
			{Title: "el/dl", Optional: 6},
			{Title: "d_model", Optional: 5},
			{Title: "params", Kind: quantity.Params, Optional: 9},
			{Title: "params saved", Kind: quantity.Fraction},
			{Title: "FLOPs saved", Kind: quantity.Fraction, Optional: 4},
			{Title: "step saved", Kind: quantity.Fraction, Optional: 7},
			{Title: "memory saved", Kind: quantity.Fraction, Optional: 1},
			{Title: "step", Kind: quantity.Duration, Optional: 8},
			{Title: "cost", Kind: quantity.Money, Optional: 2},
			{Title: "upstream loss", Kind: quantity.Number, Optional: 3},
			{Title: "downstream", Kind: quantity.Number},
			{Title: "evidence"},
		},
	}
	if result.Anchor != nil {
		t.Title = fmt.Sprintf("Instead of %s: best of %s", result.Anchor.Shape.Name,
			amongTitles[among])
	}
	t.Notes = []string{fmt.Sprintf("%s of %s candidates qualify.",
		quantity.Grouped(int64(result.Feasible)), quantity.Grouped(int64(result.Counted)))}
	if note := layoutNote(result); note != "" {
		t.Notes = append(t.Notes, note)
	}
	return t
}

// layoutNote says at which layout the first shape is timed, as that of plan is another where it is
// searched here; empty where nothing is timed.
func layoutNote(result *recommend.Result) string {
	row := result.Anchor
	if row == nil && len(result.Rows) > 0 {
		row = &result.Rows[0]
	}
	if row == nil || row.StepTime.Interval == nil {
		return ""
	}
	return fmt.Sprintf("The step of %s is at layout %s.", row.Shape.Name, plan.LayoutText(&row.Run))
}

// evidenceNotes says how to read the tables and what their quality rests on.
func evidenceNotes(result *recommend.Result) []string {
	notes := []string{"* the pick. = a tie with the anchor within the error of the difference. Saved is against the anchor, negative costs more. Intervals are 80 %."}
	e := &result.Evidence
	if e.Law != "" {
		notes = append(notes, sentence("quality: "+e.Law))
	}
	if e.Missing != "" {
		notes = append(notes, sentence("no quality: "+e.Missing))
	}
	if c := e.Check; c != nil {
		notes = append(notes, sentence(c.String()))
	}
	for _, note := range e.Notes {
		notes = append(notes, sentence(note))
	}
	if e.Recalled {
		notes = append(notes,
			"† rests on results written down from memory of the paper (evidence: recalled); --evidence primary,secondary,figure leaves them out.")
	}
	return notes
}

// sentence gives a text its capital and its full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "."
}

func recommendRow(row *recommend.Row) []Cell {
	rank := fmt.Sprint(row.Rank)
	if row.Rank == 0 {
		rank = "anchor"
	}
	mark := ""
	if row.Pick {
		mark += " *"
	}
	if row.Tie {
		mark += " ="
	}
	evidence := row.Class.String()
	if row.Evidence == "recalled" {
		evidence += " †"
	}
	return []Cell{
		Plain(rank), Text(row.Shape.Name).Marked(mark), Plain(depths(&row.Shape)),
		Plain(fmt.Sprint(row.Shape.DModel)),
		Amount(float64(row.Params.Total)), share(row.Saved.Params), share(row.Saved.FLOPs),
		share(row.Saved.StepTime), share(row.Saved.Memory),
		Optional(row.StepTime.Interval), Optional(row.Schedule.Bill.CostUSD.Interval),
		Optional(row.Quality.Upstream.Interval), Optional(row.Quality.Downstream.Interval),
		Text(evidence),
	}
}

// share is an optional fraction.
func share(f *float64) Cell {
	if f == nil {
		return Cell{}
	}
	return Amount(*f)
}

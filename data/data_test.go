package data

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sourced is what every row of every table has.
type sourced struct {
	name     string
	source   string
	evidence Evidence
}

// tables lists every embedded file with the number of rows its subject has: counted in the
// published lists.
func tables() map[string]struct {
	want int
	rows []sourced
} {
	type table = struct {
		want int
		rows []sourced
	}
	out := map[string]table{}
	add := func(file string, want int, rows []sourced) { out[file] = table{want, rows} }
	add("t5_efficient.csv", 170, collect(Checkpoints(), func(c Checkpoint) sourced { return sourced{c.Name, c.Source, c.Evidence} }))
	add("released_shapes.csv", 118, collect(ReleasedShapes(), func(s ReleasedShape) sourced { return sourced{s.Name, s.Source, s.Evidence} }))
	add("paper_results.csv", 16, collect(PaperResults(), func(p PaperResult) sourced { return sourced{p.Model, p.Source, p.Evidence} }))
	add("tay2021_points.csv", 21, collect(PaperPoints(), func(p PaperPoint) sourced { return sourced{p.Model, p.Source, p.Evidence} }))
	add("shape_results.csv", 810, collect(ShapeResults(), func(r ShapeResult) sourced { return sourced{r.Model, r.Source, r.Evidence} }))
	// A set has the class of its numbers, each of which has its own.
	add("shape_sets.csv", 16, collect(ShapeSets(), func(s ShapeSet) sourced { return sourced{s.Name, s.Source, Secondary} }))
	add("arabict5_pairs.csv", 15, collect(ShapePairs(), func(p ShapePair) sourced { return sourced{p.Task, p.Source, p.Evidence} }))
	add("accelerators.csv", 35, collect(Accelerators(), func(a Accelerator) sourced {
		for _, f := range a.Peaks {
			return sourced{a.Name, f.Source, f.Evidence}
		}
		return sourced{name: a.Name, source: a.Memory.Source, evidence: a.Memory.Evidence}
	}))
	add("matmul_ceilings.csv", 20, collect(MatmulCeilings(), func(m MatmulCeiling) sourced { return sourced{m.Device, m.Source, m.Evidence} }))
	add("grid.csv", 324, collect(Grid(), func(g GridIntensity) sourced { return sourced{g.Key, g.Source, g.Evidence} }))
	add("pue.csv", 47, collect(PUEs(), func(p PUE) sourced { return sourced{p.Key, p.Source, p.Evidence} }))
	add("footprints.csv", 5, collect(Footprints(), func(f Footprint) sourced { return sourced{f.Model, f.Source, f.Evidence} }))
	add("step_times.csv", 349, collect(StepTimes(), func(s StepTime) sourced { return sourced{s.ID, s.Source, s.Evidence} }))
	add("decode_times.csv", 56, collect(DecodeTimes(), func(d DecodeTime) sourced { return sourced{d.ID, d.Source, d.Evidence} }))
	add("step_constants.csv", 123, collect(StepConstants(), func(c StepConstant) sourced { return sourced{c.Name, c.Source, c.Evidence} }))
	add("laws.csv", 37, collect(LawParameters(), func(l LawParameter) sourced { return sourced{l.Law, l.Source, l.Evidence} }))
	add("finetuning_sets.csv", 18, collect(FineTuningSets(), func(s FineTuningSet) sourced {
		return sourced{s.Preset + " " + s.Task, s.Source, s.Evidence}
	}))
	add("goodput.csv", 3, collect(Goodputs(), func(g Goodput) sourced { return sourced{g.Run, g.Source, g.Evidence} }))
	add("published_params.csv", 21, collect(AllPublishedParams(), func(p PublishedParams) sourced { return sourced{p.Model, p.Source, p.Evidence} }))
	add("published_flops.csv", 18, collect(AllPublishedFLOPs(), func(p PublishedFLOPs) sourced { return sourced{p.Model, p.Source, p.Evidence} }))
	add("published_memory.csv", 72, collect(AllPublishedMemory(), func(p PublishedMemory) sourced { return sourced{p.Model, p.Source, p.Evidence} }))
	return out
}

func collect[T any](rows []T, pick func(T) sourced) []sourced {
	out := make([]sourced, len(rows))
	for i, row := range rows {
		out[i] = pick(row)
	}
	return out
}

func TestEveryFileIsReadAndEveryRowHasSourceAndEvidence(t *testing.T) {
	all := tables()
	files, err := fs.Glob(files, "facts/*.csv")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimPrefix(file, "facts/")
		table, ok := all[name]
		if !ok {
			t.Errorf("%s has no loader in this test", name)
			continue
		}
		if len(table.rows) != table.want {
			t.Errorf("%s: %d rows, want %d", name, len(table.rows), table.want)
		}
		for _, r := range table.rows {
			if r.source == "" || !slices.Contains(strongestFirst[:], r.evidence) {
				t.Errorf("%s: %s: source %q, evidence %q", name, r.name, r.source, r.evidence)
			}
		}
	}
	if len(files) != len(all) {
		t.Errorf("%d files, %d loaders", len(files), len(all))
	}
}

// A source is something a reader can look up, not a note to ourselves.
func TestSourcesArePublic(t *testing.T) {
	private := regexp.MustCompile(`(?i)\bbrief\b|\bstored page\b|from memory|not shown by|file id`)
	for name, table := range tables() {
		for _, r := range table.rows {
			if private.MatchString(r.source) {
				t.Errorf("%s: %s: %q", name, r.name, r.source)
			}
		}
	}
}

func TestCheckpoints(t *testing.T) {
	shared := 0
	for _, c := range Checkpoints() {
		if c.Sharing != "" {
			shared++
		}
		if (c.Params == nil) != (c.Sharing != "") {
			t.Errorf("%s: a count exactly when nothing is shared is wanted", c.Name)
		}
		switch c.Name {
		case "t5-efficient-tiny-nl32":
			// The exact literal that the project's acceptance names.
			if *c.Params != 66_986_752 || c.DKV != 64 {
				t.Errorf("%s: %d parameters, d_kv %d", c.Name, *c.Params, c.DKV)
			}
		case "t5-efficient-tiny-el8": // a trap of the release: the decoder has 12 layers
			if c.EncoderLayers != 8 || c.DecoderLayers != 12 {
				t.Errorf("%s: %d encoder and %d decoder layers", c.Name, c.EncoderLayers,
					c.DecoderLayers)
			}
		case "t5-efficient-tiny-ff2000":
			if c.DFF != 1024 {
				t.Errorf("%s: d_ff %d", c.Name, c.DFF)
			}
		case "t5-efficient-xxl-nl4":
			if c.Heads != 32 || c.DKV != 64 {
				t.Errorf("%s: %d heads of %d", c.Name, c.Heads, c.DKV)
			}
		}
		// Where the size of the weights file is known to three digits it is 4 bytes a parameter.
		const threeDigits = 0.006 // half a unit of the third digit, and file overhead
		if c.FileSize != nil && c.Params != nil {
			if ratio := *c.FileSize / (4 * float64(*c.Params)); ratio < 1-threeDigits || ratio > 1+threeDigits {
				t.Errorf("%s: file of %.4g bytes, %d parameters: ratio %.4f", c.Name, *c.FileSize,
					*c.Params, ratio)
			}
		}
	}
	if shared != 10 {
		t.Errorf("%d models with shared heads or key-values, want 10", shared)
	}
}

func TestPaperResults(t *testing.T) {
	for _, p := range PaperResults() {
		if p.StepsPerSecond != nil && p.StepsPerSecond.Evidence != Recalled {
			t.Errorf("%s: steps/s is %s, nothing confirms it", p.Model, p.StepsPerSecond.Evidence)
		}
		if p.Average != nil {
			mean := (p.GLUE.Value + p.SuperGLUE.Value + p.SQuAD.Value) / 3
			const rounding = 0.0151 // two printed decimals on each of four numbers
			if !(abs(mean-p.Average.Value) <= rounding) {
				t.Errorf("%s: mean %.3f, average %.2f: an average that is wrong stays out", p.Model,
					mean, p.Average.Value)
			}
		}
	}
}

// The classes of some cells, as the check of the recalled table against other sources gave them:
// what a figure shows, what a second source prints, what an exact count supports, and what nobody
// could find.
func TestCellsHaveTheirOwnClass(t *testing.T) {
	rows := map[string]PaperResult{}
	for _, p := range PaperResults() {
		rows[p.Model] = p
	}
	base, small, deep, xl := rows["T5-Base"], rows["T5-Small"], rows["Small 16L"], rows["XL 32L"]
	for _, c := range []struct {
		what string
		got  *Reading
		want Evidence
	}{
		{"loss of T5-Base", base.Upstream, Figure},
		{"SuperGLUE of T5-Base", base.SuperGLUE, Figure},
		{"GLUE of T5-Base", base.GLUE, Recalled},
		{"parameters of T5-Base", base.Params, Secondary},
		{"parameters of T5-Small", small.Params, MeasuredHere},
		{"loss of T5-Small", small.Upstream, Figure},
		{"loss of Small 16L", deep.Upstream, Recalled},
		{"parameters of T5-Large", rows["T5-Large"].Params, Primary},
		{"SQuAD of XL 32L", xl.SQuAD, Secondary},
		{"multiply-adds of T5-XL", rows["T5-XL"].ForwardMACs, Recalled}, // doubtful
	} {
		if c.got == nil || c.got.Evidence != c.want {
			t.Errorf("%s: %+v, want %s", c.what, c.got, c.want)
		}
	}
	// 79.9 and 1.496: Table 3 of the paper and its Figure 1.
	if xl.SuperGLUE.Value != 79.9 || xl.Upstream.Value != -1.496 {
		t.Errorf("XL 32L: SuperGLUE %v, upstream %v", xl.SuperGLUE, xl.Upstream)
	}
	if rows["Small 24L"].Average != nil || rows["Large 36L"].Average != nil {
		t.Error("an average that its three scores contradict is carried")
	}
}

// Points that the tables print too agree with them: the class of those cells rests on it.
func TestPointsAgreeWithTheTables(t *testing.T) {
	const lossRounding, scoreRounding = 0.0061, 0.061 // of a printed number, and of the reading
	shared := 0
	for _, point := range PaperPoints() {
		for _, row := range PaperResults() {
			if row.Shape != point.Shape || row.Upstream == nil {
				continue
			}
			shared++
			if !(abs(point.Loss+row.Upstream.Value) <= lossRounding) {
				t.Errorf("%s: loss %.3f, the table %.3f", point.Model, point.Loss, row.Upstream.Value)
			}
			if row.SuperGLUE != nil && !(abs(point.SuperGLUE-row.SuperGLUE.Value) <= scoreRounding) {
				t.Errorf("%s: SuperGLUE %.2f, the table %.2f", point.Model, point.SuperGLUE,
					row.SuperGLUE.Value)
			}
		}
	}
	if shared != 7 { // Base, Large, Base-36L, XL, XL 32L twice, NL12-XXL
		t.Errorf("%d rows of the tables are points too, want 7", shared)
	}
}

// The trap of the set: one Base under two protocols, 69.8 and 74.0 (README of the set's source).
func TestProtocolsAreGroupsOfTheirOwn(t *testing.T) {
	base := map[string]float64{}
	for _, r := range ShapeResults() {
		if r.Set == "tay2022" && r.Metric == "superglue" && r.DModel == 768 && r.DFF == 3072 &&
			r.EncoderLayers == 12 {
			base[r.Group] = r.Value
		}
	}
	if len(base) != 2 || base["T5, 2021 protocol"] != 69.8 || base["T5, 2022 protocol"] != 74 {
		t.Errorf("SuperGLUE of Base: %v", base)
	}
}

func abs(x float64) float64 { return max(x, -x) }

func TestEvidence(t *testing.T) {
	if got := Weakest(Primary, Recalled, Figure); got != Recalled {
		t.Errorf("Weakest = %s", got)
	}
	if got := Weakest(); got != "" {
		t.Errorf("Weakest of nothing = %q", got)
	}
	if _, err := ParseEvidence("primry"); err == nil || !strings.Contains(err.Error(), "did you mean primary?") {
		t.Errorf("ParseEvidence: %v", err)
	}
}

// The constants as printed in the publications, at full precision.
func TestLaws(t *testing.T) {
	chinchilla, ok := Law("chinchilla")
	if !ok || chinchilla["A"] != 406.401 || chinchilla["B"] != 410.723 ||
		chinchilla["E"] != 1.69337 || chinchilla["alpha"] != 0.339171 ||
		chinchilla["beta"] != 0.284908 {
		t.Errorf("chinchilla: %v", chinchilla)
	}
	hot, ok := Law("gemstones-hot")
	if !ok || hot["alpha_depth"] != 0.3872 || hot["c_tokens"] != 10.0594 || hot["E"] != 0.3925 ||
		len(hot) != 9 {
		t.Errorf("gemstones-hot: %v", hot)
	}
	if _, ok := Law("nothing"); ok {
		t.Error("an unknown law was found")
	}
}

func TestAccelerators(t *testing.T) {
	names := map[string]string{}
	for _, a := range Accelerators() {
		for _, name := range append([]string{a.Name}, a.Aliases...) {
			if other, twice := names[strings.ToLower(name)]; twice && other != a.Name {
				t.Errorf("%q names %s and %s", name, other, a.Name)
			}
			names[strings.ToLower(name)] = a.Name
		}
		for precision, f := range a.Peaks {
			if f.Value < 1e12 || f.Value > 2e16 {
				t.Errorf("%s: %s peak of %g FLOP/s", a.Name, precision, f.Value)
			}
		}
		if b := a.Bandwidth; b != nil && (b.Value < 1e11 || b.Value > 1e13) {
			t.Errorf("%s: bandwidth of %g bytes/s", a.Name, b.Value)
		}
		if m := a.Memory; m != nil && (m.Value < 1e10 || m.Value > 4e11) {
			t.Errorf("%s: memory of %g bytes", a.Name, m.Value)
		}
		if p := a.Power; p != nil && (p.Value < 50 || p.Value > 2000 || a.PowerKind != "mean" && a.PowerKind != "limit") {
			t.Errorf("%s: %g W, %q", a.Name, p.Value, a.PowerKind)
		}
		for precision, f := range a.Measured {
			if peak, ok := a.Peaks[precision]; ok && f.Value > peak.Value {
				t.Errorf("%s: measured %s %g above the peak %g", a.Name, precision, f.Value,
					peak.Value)
			}
		}
	}
	for _, m := range MatmulCeilings() {
		if m.Accelerator != "" && names[strings.ToLower(m.Accelerator)] == "" {
			t.Errorf("matmul ceiling of an unknown accelerator %q", m.Accelerator)
		}
		if m.Measured > m.DataSheet {
			t.Errorf("%s: measured above the data sheet", m.Device)
		}
	}
	for _, f := range Footprints() {
		if names[strings.ToLower(f.Accelerator)] == "" {
			t.Errorf("footprint on an unknown accelerator %q", f.Accelerator)
		}
	}
}

func TestCarbon(t *testing.T) {
	for _, g := range Grid() {
		// From hydro (a few grams) to the old gas plants of Turkmenistan (1.306 kg in this list).
		if g.Intensity < 0 || g.Intensity > 1.31 {
			t.Errorf("%s: %g kg/kWh", g.Key, g.Intensity)
		}
	}
	regions := map[string]bool{}
	for _, g := range Grid() {
		regions[g.Key] = true
	}
	for _, p := range PUEs() {
		if p.Value < 1 || p.Value > 2 {
			t.Errorf("%s: PUE %g", p.Key, p.Value)
		}
		for _, region := range p.Regions {
			if !regions[region] {
				t.Errorf("PUE of %s names an unknown region %q", p.Place, region)
			}
		}
	}
}

func TestPublishedCounts(t *testing.T) {
	for _, p := range AllPublishedParams() {
		if p.Params < 1e7 || p.Params > 2e12 || p.Tolerance > 0.05 {
			t.Errorf("%s: %g parameters within %g", p.Model, p.Params, p.Tolerance)
		}
	}
	for _, p := range AllPublishedFLOPs() {
		if p.FLOPs < 1e9 || p.FLOPs > 1e24 {
			t.Errorf("%s: %g FLOP", p.Model, p.FLOPs)
		}
	}
	for _, p := range AllPublishedMemory() {
		if p.Value <= 0 {
			t.Errorf("%s: %s is %g", p.Model, p.Metric, p.Value)
		}
	}
}

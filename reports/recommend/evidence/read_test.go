package evidence

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/fit/records"
)

// recorded is a table of runs as a caller's file has them.
func recorded(t *testing.T, text string) *RecordTable {
	t.Helper()
	table, err := records.ReadAll([]records.Input{{
		Name: "runs.csv",
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
	}}, records.Options{})
	if err != nil {
		t.Fatal(err)
	}
	runs, err := (&learn.Selection{}).Of("loss", table)
	if err != nil {
		t.Fatal(err)
	}
	out, err := NewRecordTable(runs, "runs.csv")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// FLOPs that are not recorded are 6·params·tokens. Layers of stacks tell the architecture; a row with none of them is a decoder of so many layers.
func TestRecords(t *testing.T) {
	rows, err := recorded(t, `params,d_model,layers,encoder_layers,decoder_layers,tokens,loss,score,set,size
1e6,64,9,3,3,2e9,3.5,60,a,small
2e6,128,9,0,4,,3.25,,a,large
3e6,192,5,,,6e9,,61,b,large
`).Records("set,size")
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, want := range []Record{
		{EncoderLayers: 3, DecoderLayers: 3, DModel: 64, Params: 1e6, Tokens: 2e9, FLOPs: 12e15, Group: "a, small"},
		{DecoderLayers: 4, DModel: 128, Params: 2e6, Group: "a, large"},
		{DecoderLayers: 5, DModel: 192, Params: 3e6, Tokens: 6e9, FLOPs: 108e15, Group: "b, large"},
	} {
		got := rows[i]
		got.Loss, got.Score = nil, nil
		if got != want {
			t.Errorf("row %d: %+v, want %+v", i, got, want)
		}
	}
	if *rows[0].Loss != 3.5 || *rows[0].Score != 60 || *rows[1].Loss != 3.25 || rows[1].Score != nil ||
		rows[2].Loss != nil || *rows[2].Score != 61 {
		t.Errorf("outcomes %+v", rows)
	}
}

// A column stands in for one without any number, and for no other.
func TestStandInAndNeed(t *testing.T) {
	table := recorded(t, "non_embedding_params,d_model,layers,loss\n1e6,64,2,3\n")
	var lacking *LackingError
	if _, err := table.Records(""); !errors.As(err, &lacking) || !slices.Equal(lacking.Lacking, []string{"params"}) {
		t.Errorf("without params: %v", err)
	}
	table.StandIn("params", "tokens") // which is not there either
	if table.recorded("params") {
		t.Error("nothing stands in for params")
	}
	table.StandIn("params", "non_embedding_params")
	table.StandIn("loss", "d_model")
	if rows, err := table.Records(""); err != nil || rows[0].Params != 1e6 || *rows[0].Loss != 3 {
		t.Errorf("%+v, %v", rows, err)
	}
	err := table.Need("score|bleu", "loss", "tokens")
	if !errors.As(err, &lacking) || !slices.Equal(lacking.Lacking, []string{"score or bleu", "tokens"}) {
		t.Errorf("lacking %v", err)
	}
}

// How long recorded runs are, by hand: 20 tokens a parameter; a median of 1e9 where they are alike
// but for one; nothing without tokens.
func TestUsualLength(t *testing.T) {
	of := func(tokens ...float64) (all []Record) {
		for i, n := range tokens {
			all = append(all, Record{Params: 1e6 * float64(int(1)<<i), Tokens: n})
		}
		return all
	}
	for name, c := range map[string]struct {
		records          []Record
		perParam, tokens float64
	}{
		"with size":      {of(20e6, 40e6, 80e6, 160e6), 20, 0},
		"all alike":      {of(1e9, 1e9, 1e9), 0, 1e9},
		"other than so":  {of(1e9, 64e9, 1e9, 64e9, 1e9), 0, 1e9},
		"none":           {of(0, 0), 0, 0},
		"some have none": {append(of(1e9, 1e9), Record{Params: 1e6}), 0, 1e9},
	} {
		perParam, tokens := UsualLength(c.records)
		if !closeTo(perParam, c.perParam) || !closeTo(tokens, c.tokens) {
			t.Errorf("%s: %g a parameter, %g", name, perParam, tokens)
		}
	}
}

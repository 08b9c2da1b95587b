package result

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
)

// surface is an exact Chinchilla surface over 4 × 4 runs.
func surface(columns ...string) (fit.Law, fit.Data) {
	law := fit.Chinchilla().On(columns...)
	d := fit.Data{Columns: map[string][]float64{}}
	for i := range 16 {
		x := []float64{1e7 * math.Pow(4, float64(i%4)), 1e9 * math.Pow(4, float64(i/4))}
		for k, name := range columns {
			d.Columns[name] = append(d.Columns[name], x[k])
		}
		d.Y = append(d.Y, law.Predict([]float64{1.8, 480, 2100, 0.35, 0.37}, x)*(1+0.001*math.Sin(float64(7*i))))
	}
	return law, d
}

// A fit that was written predicts the same when it is read back, and its columns mean what the law
// says unless they go by one of our names.
func TestFitsAreReadBack(t *testing.T) {
	for _, c := range []struct{ columns, want []string }{
		{[]string{"params", "tokens"}, []string{"params", "tokens"}},
		{[]string{"N", "Seen Tokens"}, []string{"params", "tokens"}},
		{[]string{"non_embedding_params", "tokens"}, []string{"non_embedding_params", "tokens"}},
	} {
		law, d := surface(c.columns...)
		result, err := fit.Fit(context.Background(), law, d, fit.LogHuber(1e-3), nil)
		if err != nil {
			t.Fatal(err)
		}
		draws, err := fit.Bootstrap(context.Background(), result, d,
			&fit.BootstrapSettings{Resamples: 2 * maxDraws})
		if err != nil {
			t.Fatal(err)
		}
		doc := NewDocument("fit", "test")
		doc.Results = append(doc.Results, FitOf(&learn.Fitted{
			Law: law.Name, Columns: law.Columns, Response: "loss", Result: result,
			Draws: draws, Rows: learn.Rows{Used: d.Len()},
		}))
		var text bytes.Buffer
		if err := doc.Write(&text); err != nil {
			t.Fatal(err)
		}
		saved, err := readFits(&text)
		if err != nil {
			t.Fatal(err)
		}
		got := saved[0]
		if !slices.Equal(got.Result.Law.Columns, c.want) {
			t.Errorf("columns %v, want %v", got.Result.Law.Columns, c.want)
		}
		at := []float64{3e8, 7e9}
		if a, b := got.Result.Predict(at...), result.Predict(at...); a != b {
			t.Errorf("predicts %v, wrote %v", a, b)
		}
		if len(got.Draws.Draws) != maxDraws || got.Result.Rows != 16 {
			t.Errorf("%d draws, %d rows", len(got.Draws.Draws), got.Result.Rows)
		}
		a, _ := got.Result.Interval(nil, 0.8, at...)
		b, _ := result.Interval(nil, 0.8, at...)
		if a != b {
			t.Errorf("interval %v, wrote %v", a, b)
		}
	}
}

func TestNoFitDocument(t *testing.T) {
	for text, want := range map[string]string{
		"":  "no fit document",
		"x": "no fit document",
		`{"schema":"deepnarrow/plan/v1","results":[]}`:                                               "schema is \"deepnarrow/plan/v1\"",
		`{"schema":"deepnarrow/fit/v1","results":[]}`:                                                "no fitted law among 0 results",
		`{"schema":"deepnarrow/fit/v1","results":[{"law":"auto","columns":["x"]}]}`:                  "no fitted law among 1 result",
		`{"schema":"deepnarrow/fit/v1","results":[{"law":"power","columns":["x"],"parameters":{}}]}`: "no parameter A",
		`{"schema":"deepnarrow/fit/v1","results":[{"law":"power","columns":["x"],"parameters":{"A":{"value":1},"alpha":{"value":1}},"bootstrap":{"draws":[[1]]}}]}`: "1 parameters, want 2",
	} {
		if _, err := readFits(strings.NewReader(text)); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// Whatever a fit holds, the document is JSON: absent is absent.
func TestFitDocumentsHoldNoNaN(t *testing.T) {
	law := fit.Power()
	nan, inf := math.NaN(), math.Inf(1)
	f := learn.Fitted{
		Law: law.Name, Columns: law.Columns, Response: "loss", Rows: learn.Rows{Used: 3},
		Result: &fit.Result{
			Law: law, Objective: fit.LAD(), Params: []float64{1, 2}, RMS: nan,
			Certificate: fit.Certificate{Condition: inf},
		},
		Draws:    &fit.Bootstrapped{Params: []fit.Interval{{Low: nan, High: inf}, {}}},
		Profiles: []fit.Profiled{{Param: "A", Low: 0, High: inf, OpenHigh: true}},
		Scores:   []fit.LawScore{{Law: law, RMS: nan}},
		Predictions: []learn.Predicted{
			{At: learn.Point{"x": 1}, Value: nan},
			{At: learn.Point{"x": 1}, Value: 1, Low: nan, High: inf, HasInterval: true},
		},
	}
	text, err := json.Marshal(FitOf(&f))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "no prediction at x=1") {
		t.Errorf("the prediction that is not a number is not mentioned: %s", text)
	}
}

package result

import (
	"strings"
	"testing"
)

// FuzzReadFits: laws of a document that is read can be asked.
func FuzzReadFits(f *testing.F) {
	f.Add(`{"schema":"deepnarrow/fit/v1","results":[{"law":"chinchilla","columns":["params","tokens"],"rows":{"used":3},` +
		`"parameters":{"E":{"value":1.7},"A":{"value":400},"B":{"value":410},"alpha":{"value":0.3},"beta":{"value":0.3}}}]}`)
	f.Add(`{"schema":"deepnarrow/fit/v1","results":[{"law":"power","columns":["x"]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		fits, err := readFits(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, s := range fits {
			x := make([]float64, len(s.Result.Law.Columns))
			for i := range x {
				x[i] = 1e9
			}
			_ = s.Result.Predict(x...) // NaN where a law is outside its domain
		}
		_, _ = ReadLaw("f.json", strings.NewReader(text))
	})
}

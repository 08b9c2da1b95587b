package fit_test

import (
	"context"
	"fmt"
	"math"

	"github.com/deepnarrow/deepnarrow/fit"
)

// A law is fitted, its certificate read, and the result used to split a budget.
func Example() {
	law := fit.Chinchilla()
	truth := []float64{1.8, 480, 2100, 0.35, 0.37} // E A B alpha beta
	data := fit.Data{Columns: map[string][]float64{}}
	for i := range 6 {
		for k := range 6 {
			n, d := 5e7*math.Pow(3, float64(i)), 1e9*math.Pow(3, float64(k))
			data.Columns["params"] = append(data.Columns["params"], n)
			data.Columns["tokens"] = append(data.Columns["tokens"], d)
			data.Y = append(data.Y, law.Predict(truth, []float64{n, d}))
		}
	}
	r, err := fit.Fit(context.Background(), law, data, fit.LogHuber(1e-3), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for j, p := range law.Params {
		fmt.Printf("%s %.4g\n", p.Name, r.Params[j])
	}
	a, err := fit.Allocate(r, 1e21, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3g params, %.3g tokens, loss %.3f\n", a.Params, a.Tokens, a.Loss)
	// Output:
	// E 1.8
	// A 480
	// B 2100
	// alpha 0.35
	// beta 0.37
	// 2.94e+09 params, 5.67e+10 tokens, loss 2.253
}

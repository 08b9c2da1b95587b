package fit_test

import (
	"fmt"
	"math"

	"github.com/deepnarrow/deepnarrow/fit"
)

// A loss recorded up to 5.1e9 tokens is continued to twice that. The log was resumed once: its last
// row at 1.6e8 tokens wins.
func ExampleExtrapolate() {
	var tokens, loss []float64
	for i := range 15 {
		x := 4e7 * math.Pow(2, float64(i)/2)
		ripple := 1 + 0.002*math.Cos(3*float64(i))
		tokens, loss = append(tokens, x), append(loss, (1.9+900*math.Pow(x, -0.35))*ripple)
	}
	tokens, loss = append(tokens, 1.6e8), append(loss, 3.11)

	curve, err := fit.NewLearningCurve(tokens, loss)
	if err != nil {
		fmt.Println(err)
		return
	}
	x := fit.Extrapolate(curve)
	low, high := x.Interval(1e10, 0.8)
	fmt.Printf("loss at 1e10 tokens: %.2f (%.2f to %.2f)\n", x.Predict(1e10), low, high)
	for _, share := range x.Laws {
		fmt.Printf("%-12s %.0f %%\n", share.Law.Name, 100*share.Weight)
	}
	// Output:
	// loss at 1e10 tokens: 2.17 (2.15 to 2.20)
	// power        0 %
	// power-offset 34 %
	// saturating   20 %
	// one-break    46 %
}

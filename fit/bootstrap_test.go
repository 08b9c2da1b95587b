package fit

import (
	"context"
	"testing"
)

func TestScratch(t *testing.T) {
	ctx := context.Background()
	d, _ := epoch240(t)
	r, err := Fit(ctx, Chinchilla(), d, LogHuber(1e-3), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []int{0, 8} {
		b, err := Bootstrap(ctx, r, d, &BootstrapSettings{Resamples: 4000, Starts: s, Seed: 1})
		t.Log(err, len(b.Draws), b.Failed, b.Improved, b.Params)
	}
	x, err := Fit(ctx, ShapeAware(), shapeSurface(800, 1e-3, 7), LogHuber(1e-3), nil)
	t.Logf("%v %+v", err, x)
	t.Log(gemstonesHot())
}

package fit

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Objective is what a fit minimises: the weighted sum over rows of a penalty of the residual r.
// Residuals are taken in ln y (r = ln y − ln ŷ) or, for the raw objectives, in y. Values are
// comparable only within one objective.
//
// Near zero the penalty is r²/(2h); beyond −down·h and up·h it is linear with slopes down and up,
// so that every objective is one of a family:
//
//	log-huber:δ, huber:δ  h = 1, up = down = δ
//	squared, squared-log  h = ½, up = down = ∞ (the sum is the RSS)
//	lad                   h = 0, up = down = 1 (in ln y)
//	asymmetric:q          h = 0, up = 2q, down = 2(1−q) (in ln y): the fit
//	                      leaves a share q of the rows below it
//	quantile:q            the same in y
type Objective struct {
	name     string
	raw      bool
	h        float64
	up, down float64
}

// LogHuber returns the Huber penalty of residuals in ln y with threshold delta > 0.
//
// Source: Hoffmann et al. 2022, eq. 3, arXiv 2203.15556 (δ = 1e-3).
func LogHuber(delta float64) Objective {
	return Objective{name: "log-huber:" + number(delta), h: 1, up: delta, down: delta}
}

// huber returns the Huber penalty of raw residuals with threshold delta > 0, in units of the
// response.
func huber(delta float64) Objective {
	return Objective{name: "huber:" + number(delta), raw: true, h: 1, up: delta, down: delta}
}

// Squared returns the sum of squared raw residuals.
func Squared() Objective {
	return Objective{name: "squared", raw: true, h: 0.5, up: math.Inf(1), down: math.Inf(1)}
}

// SquaredLog returns the sum of squared residuals in ln y.
func SquaredLog() Objective {
	return Objective{name: "squared-log", h: 0.5, up: math.Inf(1), down: math.Inf(1)}
}

// LAD returns the sum of absolute residuals in ln y.
func LAD() Objective { return Objective{name: "lad", up: 1, down: 1} }

// asymmetric returns the quantile penalty in ln y with 0 < q < 1; q = 0.5 is LAD.
//
// Source: Koenker and Bassett 1978, Econometrica 46(1), doubled.
func asymmetric(q float64) Objective {
	return Objective{name: "asymmetric:" + number(q), up: 2 * q, down: 2 * (1 - q)}
}

// quantileLoss is asymmetric in y: ŷ estimates the q-quantile of the response itself.
func quantileLoss(q float64) Objective {
	o := asymmetric(q)
	o.name, o.raw = "quantile:"+number(q), true
	return o
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// ParseObjective reads the names that [Objective.String] writes; huber:δ and log-huber:δ want δ >
// 0, asymmetric:q and quantile:q want 0 < q < 1. A plain log-huber means log-huber:1e-3.
func ParseObjective(s string) (Objective, error) {
	if s == "log-huber" {
		return LogHuber(1e-3), nil
	}
	for _, o := range []Objective{Squared(), SquaredLog(), LAD()} {
		if s == o.name {
			return o, nil
		}
	}
	name, arg, _ := strings.Cut(s, ":")
	for _, k := range []struct {
		name, allowed string
		below         float64
		of            func(float64) Objective
	}{
		{"log-huber", "a positive number", math.Inf(1), LogHuber},
		{"huber", "a positive number", math.Inf(1), huber},
		{"asymmetric", "a number between 0 and 1", 1, asymmetric},
		{"quantile", "a number between 0 and 1", 1, quantileLoss},
	} {
		if name != k.name {
			continue
		}
		if v, err := strconv.ParseFloat(arg, 64); err == nil && v > 0 && v < k.below {
			return k.of(v), nil
		}
		return Objective{}, fmt.Errorf("objective %s: %q; allowed: %s", name, arg, k.allowed)
	}
	return Objective{}, &UnknownNameError{
		What: "objective", Name: s,
		Valid: []string{
			"log-huber:DELTA", "huber:DELTA", "squared", "squared-log", "lad",
			"asymmetric:Q", "quantile:Q",
		},
	}
}

// String returns the name of the objective, as ParseObjective reads it.
func (o Objective) String() string { return o.name }

// Raw says whether residuals are taken in y rather than in ln y.
func (o Objective) Raw() bool { return o.raw }

func (o Objective) nonSmooth() bool { return o.h == 0 }

// smoothed returns the objective with its kink rounded over a width h.
func (o Objective) smoothed(h float64) Objective {
	o.h = h
	return o
}

// penalty returns ρ(e) of e = ŷ − y (or ln ŷ − ln y), its first two derivatives in e, and the
// weight ρ'(e)/e of the square through e that lies above ρ everywhere.
func (o *Objective) penalty(e float64) (rho, d1, d2, above float64) {
	switch {
	case e < -o.up*o.h: // y above ŷ
		return -o.up*e - 0.5*o.up*o.up*o.h, -o.up, 0, -o.up / e
	case e > o.down*o.h:
		return o.down*e - 0.5*o.down*o.down*o.h, o.down, 0, o.down / e
	case o.h == 0:
		return 0, 0, 0, 0
	}
	return 0.5 * e * e / o.h, e / o.h, 1 / o.h, 1 / o.h
}
